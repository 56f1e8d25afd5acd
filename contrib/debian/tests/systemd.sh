#!/bin/bash
# The package under a real systemd: the steps of README.Debian, an upgrade while
# mail is served, sockets of systemd and no privileges, and the way back.
set -euo pipefail
. /trial/checks.sh

main_pid() { systemctl show --property MainPID --value "$1"; }
is() { [ "$(systemctl is-"$1" "$2" 2>/dev/null || true)" = "$3" ]; }
state_is() { is "$1" "$2" "$3" || fail "$2 is not $3 but $(systemctl is-"$1" "$2" || true) $4"; }

dovecot_goes_on() {
	# It is `reloading` for a moment.
	until_so is active dovecot active
	same "the process of Dovecot $*" "$(main_pid dovecot)" "$dovecot"
	mail_works "$*"
	step "$*: Dovecot goes on"
}

restart_dovecot() {
	local start=$EPOCHREALTIME end
	systemctl restart dovecot
	until_so login
	end=$EPOCHREALTIME
	dovecot=$(main_pid dovecot)
	step "$*: Dovecot restarted and answered in $(((${end/./} - ${start/./}) / 1000)) ms"
}

# How many log-ins fantail has counted.
counted() {
	local count
	count=$(fantail stats dump 2>/dev/null | awk '$1 == "logins" { print $3 }')
	echo "${count:-0}"
}

has_counted() {
	login >/dev/null
	[ "$(counted)" -ge "$1" ]
}

block=/etc/dovecot/conf.d/99-fantail.conf
write_block() {
	# As README.Debian shows it.
	sed -n '/^     service stats {$/,/^     }$/s/^     //p' \
		/usr/share/doc/fantail/README.Debian >$block
	[ "$(grep -c 'mode = 0' $block)" = 3 ] || fail "README.Debian has no block"
}

make_user
dovecot_before=$(digest)
files_before=$(files)
systemctl start dovecot
until_so login
dovecot=$(main_pid dovecot)
step "systemd $(systemctl --version | head -n 1 | cut -d ' ' -f 2), $(dovecot --version)"

dpkg -i $trial/older.deb >/dev/null 2>&1
state_is enabled fantail disabled "after the installation"
state_is active fantail inactive "after the installation"
dovecot_goes_on "after the installation"
dovecot_is_untouched "after the installation"

# The mistakes: fantail started, or enabled, without the block.
if systemctl start fantail 2>/dev/null; then
	fail "fantail started beside Dovecot's own stats process"
fi
dovecot_goes_on "after a start without the block"
systemctl enable fantail 2>/dev/null
restart_dovecot "enabled without the block"
until_so is active fantail failed
systemctl reset-failed fantail
dovecot_goes_on "after fantail gave up"

# The steps as they are meant.
series=$(dovecot --version | cut -c 1-3)
sed -i "s|^#\(!include /usr/share/fantail/packs/$series/\)|\1|" /etc/fantail/fantail.conf
fantail check --for fantail /etc/fantail/fantail.conf >/dev/null 2>&1 || fail "fantail check"
write_block
restart_dovecot "with the block"
state_is active fantail active "with Dovecot"
until_so has_counted 3
doveadm stats dump >/dev/null
[ -d /var/lib/fantail/spool ] && [ -d /var/log/fantail ] || fail "folders are missing"
same "the folder of the state" "$(stat -c '%a %U' /var/lib/fantail)" "700 root"
step "log-ins are counted: $(counted)"
systemctl reload fantail
systemctl reload dovecot
dovecot_goes_on "after reloads"
systemd-analyze verify --man=no fantail.service fantail-writer.socket \
	fantail-login.socket fantail-reader.socket
step "security of fantail.service: $(systemd-analyze security --no-pager fantail.service | tail -n 1)"

# An upgrade while mail is served.
before=$(main_pid fantail)
count=$(counted)
dpkg -i $trial/newer.deb >/dev/null
state_is active fantail active "after the upgrade"
[ "$(main_pid fantail)" != "$before" ] || fail "the upgrade did not restart fantail"
dovecot_goes_on "after the upgrade"
[ "$(counted)" -ge "$count" ] || fail "the upgrade lost counts"
until_so has_counted "$((count + 3))"
step "counts go on after the upgrade: $count, $(counted)"

# fantail ends in any way: mail goes on, and it comes back.
kill -KILL "$(main_pid fantail)"
dovecot_goes_on "after fantail was killed"
until_so is active fantail active
until_so has_counted "$((count + 4))"
step "fantail came back"

# Sockets of systemd and no privileges.
systemctl stop dovecot fantail
install -D -m 644 /usr/share/doc/fantail/examples/unprivileged.conf \
	/etc/systemd/system/fantail.service.d/unprivileged.conf
systemctl daemon-reload
sockets=(fantail-writer.socket fantail-login.socket fantail-reader.socket)
systemctl enable --now "${sockets[@]}" 2>/dev/null
restart_dovecot "with sockets of systemd"
state_is active fantail active "with sockets of systemd"
status=/proc/$(main_pid fantail)/status
same "the user" "$(stat -c %U "$status")" fantail
same "capabilities" "$(grep -c '^Cap[^:]*:.*[1-9a-f]' "$status" || true)" 0
same "the link" "$(readlink /run/dovecot/login/stats-writer)" fantail/stats-writer
same "the owner of the socket" "$(stat -c '%a %U %G' /run/dovecot/stats-writer)" "660 root dovecot"
count=$(counted)
until_so has_counted "$((count + 3))"
systemctl reload fantail
systemctl reload dovecot
dovecot_goes_on "after reloads without privileges"
count=$(counted)
until_so has_counted "$((count + 3))"
step "without privileges: security $(systemd-analyze security --no-pager fantail.service | tail -n 1)"
systemctl stop fantail 2>/dev/null
start=$EPOCHREALTIME
mail_works "while only the sockets are there"
end=$EPOCHREALTIME
step "a log-in that starts fantail took $(((${end/./} - ${start/./}) / 1000)) ms"
dpkg -i $trial/newer.deb >/dev/null
dovecot_goes_on "after an upgrade with sockets of systemd"
# Nothing answers: fantail cannot start.
echo 'metric broken {' >>/etc/fantail/fantail.conf
systemctl stop fantail 2>/dev/null
start=$EPOCHREALTIME
mail_works "while fantail cannot start"
end=$EPOCHREALTIME
step "a log-in while fantail cannot start took $(((${end/./} - ${start/./}) / 1000)) ms"
until_so is active fantail-writer.socket failed
mail_works "after systemd gave the sockets up"
sed -i '$d' /etc/fantail/fantail.conf
systemctl disable --now "${sockets[@]}" 2>/dev/null
rm -r /etc/systemd/system/fantail.service.d
systemctl daemon-reload
systemctl reset-failed
[ ! -e /run/dovecot/login/stats-writer ] || fail "the link stays"
systemctl restart dovecot
until_so login
dovecot=$(main_pid dovecot)
state_is active fantail active "as root again"
until_so has_counted 1

# Removed without the way back.
dpkg -r fantail >/dev/null
dovecot_goes_on "after the removal"
restart_dovecot "with the block and without fantail"
rm $block
restart_dovecot "without the block"
until_so doveadm stats dump
dovecot_is_untouched "after the way back"
dpkg -P fantail >/dev/null
dovecot_goes_on "after the purge"
nothing_is_left
dovecot_is_untouched "after the purge"
step "nothing is left but the user"
echo "all is well"
