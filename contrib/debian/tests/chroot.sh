#!/bin/bash
# Installs, upgrades, removes and purges the package beside a running Dovecot,
# without systemd.
set -euo pipefail
. /trial/checks.sh

make_user
dovecot_before=$(digest)
files_before=$(files)
dovecot -F >/dev/null 2>&1 &
dovecot=$!
until_so login

beside() {
	kill -0 "$dovecot" || fail "Dovecot ended $*"
	if pgrep -x fantail >/dev/null; then
		fail "fantail runs $*"
	fi
	mail_works "$*"
	dovecot_is_untouched "$*"
	step "$*: Dovecot goes on"
}

dpkg -i $trial/older.deb >/dev/null
beside "after the installation"
same version "$(dpkg-query -W -f '${Version}' fantail)" 0.0.1-1
fantail --version >/dev/null
echo '# a line of the administrator' >>/etc/fantail/fantail.conf
fantail check --for fantail /etc/fantail/fantail.conf >/dev/null 2>&1 || fail "fantail check"
step "the configuration is understood"

dpkg -i $trial/newer.deb >/dev/null
beside "after the upgrade"
grep -q 'a line of the administrator' /etc/fantail/fantail.conf ||
	fail "the upgrade replaced the configuration"

dpkg -r fantail >/dev/null
beside "after the removal"
[ -e /etc/fantail/fantail.conf ] || fail "the removal took the configuration"
[ ! -e /usr/bin/fantail ] || fail "the program is still there"

install -D /dev/null /var/lib/fantail/state
install -D /dev/null /var/log/fantail/exported.log
dpkg -P fantail >/dev/null
beside "after the purge"
nothing_is_left
step "nothing is left but the user"
kill "$dovecot"
wait "$dovecot" || true
