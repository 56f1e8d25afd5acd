# What the trials of the package share. Sourced by bash, as root, in a root that
# `cargo xtask dist --try` throws away.

export DEBIAN_FRONTEND=noninteractive LC_ALL=C
trial=/trial

fail() {
	echo "FAILED: $*"
	exit 1
}

step() {
	printf '%s\n' "$*"
}

# Asks again until it is so.
until_so() {
	local left=300
	until "$@" >/dev/null 2>&1; do
		left=$((left - 1))
		[ "$left" -gt 0 ] || fail "never: $*"
		sleep 0.1
	done
}

same() {
	[ "$2" = "$3" ] || fail "$1 is \`$2\`, not \`$3\`"
}

# A mail user of the system, whom Dovecot as Debian configures it knows.
make_user() {
	useradd --create-home anna
	echo anna:secret | chpasswd
	install -d -o anna -g anna /home/anna/mail
	touch /var/mail/anna
	chown anna:mail /var/mail/anna
}

# Logs in by IMAP; whether that worked.
login() {
	local line
	exec 7<>/dev/tcp/127.0.0.1/143 || return 1
	read -r -t 20 line <&7 || return 1
	printf 'a LOGIN anna secret\r\nb SELECT INBOX\r\nc LOGOUT\r\n' >&7
	while read -r -t 20 line <&7; do
		case $line in
		b\ OK*) selected=yes ;;
		a\ NO* | a\ BAD* | b\ NO* | b\ BAD*) echo "$line" ;;
		esac
	done
	exec 7>&-
	[ "${selected-}" = yes ]
}

mail_works() {
	(login) || fail "no log-in by IMAP $*"
}

digest() {
	find /etc/dovecot -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum
	find /etc/dovecot -printf '%p %m %u %g\n' | sort | sha256sum
}

dovecot_is_untouched() {
	same "Dovecot's configuration $*" "$(digest)" "$dovecot_before"
}

# Files that packages may leave or change, without what dpkg, systemd and Dovecot
# keep for themselves.
files() {
	find /etc /usr /var/lib /var/log /var/cache -xdev \
		-not -path '/var/lib/dpkg*' -not -path '/var/lib/apt*' \
		-not -path '/var/cache/*' -not -path '/var/lib/systemd*' \
		-not -path '/var/lib/dovecot*' -not -path '/var/lib/private*' \
		-not -path '/var/log/*' -not -path '/etc/*-' | sort
	find /var/log -iname '*fantail*'
	find /var/lib/systemd -iname '*fantail*'
}

nothing_is_left() {
	diff <(printf '%s\n' "$files_before") <(files) || fail "files are left after the purge"
	if dpkg-query -W fantail 2>/dev/null; then
		fail "dpkg still knows the package"
	fi
	getent passwd fantail >/dev/null || fail "the user fantail is gone, which should stay"
}
