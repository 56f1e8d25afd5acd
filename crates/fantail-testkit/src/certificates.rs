//! Certificates of private authorities, made by `openssl`.

#![allow(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "for tests: what does not work must fail"
)]

use std::{fs, path::Path, process::Command};

/// Writes authorities `ca.pem` and `other.pem`, and a certificate `server.pem` for
/// `localhost` from the first, with its key `server.key`. Without `openssl`,
/// [skips] the calling test and returns `false`.
///
/// [skips]: crate::skip
#[must_use]
pub fn make_certificates(folder: &Path) -> bool {
    let Some(openssl) = crate::program("openssl") else {
        return false;
    };
    let run = |arguments: &str| {
        let mut command = Command::new(&openssl);
        command.args(arguments.split(' ')).current_dir(folder);
        let output = command.output().expect("openssl runs");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments}: {errors}");
    };
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
    for name in ["ca", "other"] {
        run(&format!(
            "req -x509 {key} -keyout {name}.key -out {name}.pem -days 2 -subj /CN={name}"
        ));
    }
    run(&format!(
        "req {key} -keyout server.key -out server.csr -subj /CN=localhost"
    ));
    let extensions = folder.join("extensions");
    #[allow(clippy::disallowed_methods, reason = "a file of a test")]
    fs::write(extensions, "subjectAltName=DNS:localhost\n").expect("a file");
    run(
        "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 \
         -extfile extensions -out server.pem",
    );
    true
}
