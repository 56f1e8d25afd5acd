#!/bin/bash
# `fantail doctor` beside Dovecot, Prometheus and fail2ban: nothing is wrong at first,
# each planted fault is found, and nothing is wrong after it is mended.
set -euo pipefail
. /trial/checks.sh

config=/etc/fantail/fantail.conf
block=/etc/dovecot/conf.d/99-fantail.conf
more=/etc/dovecot/conf.d/98-fault.conf
dropin=/etc/systemd/system/fantail.service.d/fault.conf
serve="fantail serve --config $config --state /var/lib/fantail/state"

is_green() { fantail doctor; }

finds() {
	local report
	report=$(fantail doctor --format json "${@:2}") || true
	grep -q "\"code\": \"$1\"" <<<"$report"
}

faults=0
found() {
	until_so finds "$@"
	faults=$((faults + 1))
	step "fault $faults: $1"
}

recover() {
	cp /trial/fantail.conf $config
	rm -f $more $dropin
	systemctl daemon-reload
	systemctl reset-failed
	systemctl restart dovecot
	until_so login
	until_so is_green
}

# Starts fantail, and Dovecot after it, with other flags.
serve_with() {
	install -d "${dropin%/*}"
	printf '[Service]\nExecStart=\nExecStart=%s\n' "$serve $*" >$dropin
	systemctl daemon-reload
	systemctl restart dovecot
	until_so login
}

# Opens a session that stays, as this descriptor.
hold() {
	local line
	eval "exec $1<>/dev/tcp/127.0.0.1/143"
	printf 'a LOGIN anna secret\r\nb SELECT INBOX\r\n' >&"$1"
	while read -r -t 20 line <&"$1"; do
		case $line in
		b\ OK*) return 0 ;;
		esac
	done
	fail "no session"
}

wrong_password() {
	printf 'a LOGIN anna wrong\r\nb LOGOUT\r\n' | timeout 20 bash -c \
		'exec 7<>/dev/tcp/127.0.0.1/143; cat >&7; cat <&7' >/dev/null || true
}

# The installation, by README.Debian and docs/operate.md.
make_user
series=$(dovecot --version | cut -c 1-3)
dpkg -i $trial/newer.deb >/dev/null 2>&1
sed -n '/^     service stats {$/,/^     }$/s/^     //p' \
	/usr/share/doc/fantail/README.Debian >$block
sed -i -e "s|^#\(!include /usr/share/fantail/[a-z]*/$series\)|\1|" \
	-e '/^#service stats {/,/^#}/s/^#//' $config
cp $config $trial/fantail.conf
systemctl enable fantail 2>/dev/null
systemctl restart dovecot
until_so login
wrong_password
step "Dovecot $(dovecot --version), systemd $(systemctl --version | head -n 1 | cut -d ' ' -f 2)"

share=/usr/share/fantail
cp $share/prometheus/rules.yml $share/prometheus/alerts.yml /etc/prometheus/
sed 's/30s/1s/' $share/prometheus/prometheus.yml >/etc/prometheus/prometheus.yml
promtool check config /etc/prometheus/prometheus.yml >/dev/null
systemctl restart prometheus
has_series() {
	curl -sG http://127.0.0.1:9090/api/v1/query --data-urlencode "query=$1" | grep '"value":'
}
until_so has_series dovecot_logins_total
until_so has_series 'up{job="fantail"}==1'
step "$(prometheus --version 2>&1 | head -n 1 | cut -d ' ' -f 1-3) has the log-ins"

# A client with an address of its own gives wrong passwords.
cp $share/fail2ban/filter.d/fantail.conf /etc/fail2ban/filter.d/
cp $share/fail2ban/jail.d/fantail.conf /etc/fail2ban/jail.d/
printf '[DEFAULT]\nbanaction = nftables\n[sshd]\nenabled = false\n' >/etc/fail2ban/jail.local
systemctl restart fail2ban
until_so fail2ban-client status fantail
unshare --net sleep infinity &
client=$!
until_so test "$(readlink /proc/self/ns/net)" != "$(readlink /proc/$client/ns/net)"
ip link add client type veth peer name eth0 netns $client
ip address add 192.0.2.1/24 dev client
ip link set client up
from_client() { nsenter --net=/proc/$client/ns/net "$@"; }
from_client ip address add 192.0.2.7/24 dev eth0
from_client ip link set eth0 up
tries() {
	from_client curl -sk --max-time 10 --user "anna:$1" imaps://192.0.2.1/INBOX
}
until_so tries secret
is_banned() {
	tries wrong
	fail2ban-client status fantail | grep 'Banned IP list:.*192\.0\.2\.7'
}
until_so is_banned
if tries secret >/dev/null; then
	fail "a banned client logs in"
fi
mail_works "beside a ban"
fail2ban-client unban 192.0.2.7 >/dev/null
until_so tries secret
{ kill $client; wait $client; } 2>/dev/null || true
step "fail2ban $(fail2ban-client version) banned one client"

until_so is_green
step "nothing is wrong"

# Dovecot's side.
echo 'stats_writer_socket_path =' >$more
found doctor/stats-off
recover
echo 'no_such_setting = yes' >$more
found doctor/dovecot-refuses
recover
mv $block $trial/block
found lint/same-sockets
mv $trial/block $block
recover
mv $block $trial/block
systemctl restart dovecot
mv $trial/block $block
found doctor/dovecot-binds
recover
systemctl stop dovecot
found doctor/dovecot-stopped
recover
touch -d '1 hour ago' /run/dovecot/master.pid
found doctor/clock-moved
recover

# The sockets.
systemctl stop fantail
found doctor/not-served
recover
systemctl stop fantail
$serve 2>/dev/null &
by_hand=$!
until_so fantail stats dump
{ kill -KILL $by_hand; wait $by_hand; } 2>/dev/null || true
found doctor/stale-socket
recover
systemctl stop fantail
hold 8
systemctl start fantail
found doctor/not-connected
exec 8>&-
recover
chown root:root /run/dovecot/stats-writer
found doctor/socket-permissions
recover
install -d /etc/postfix
printf 'dovecot unix - n n - - pipe user=nobody argv=/usr/lib/dovecot/dovecot-lda\n' \
	>/etc/postfix/master.cf
found doctor/permission-denied
rm -r /etc/postfix
recover
serve_with --max-connections 2
hold 8
hold 9
found doctor/connection-limit
exec 8>&- 9>&-
recover

# Metrics.
printf 'metric wrong {\n  filter = event=imap_command_finshed\n}\n' >>$config
found doctor/reload-needed
systemctl reload fantail
found lint/unknown-event
recover
printf 'metric not-seen {\n  filter = event=imap_command_finished\n}\n' >>$config
systemctl reload fantail
found lint/hidden-metric
recover
{
	echo '!include /etc/dovecot/dovecot.conf'
	printf 'metric never {\n  filter = event=imap_command_finished AND cmd_name=NOOPS\n}\n'
} >$config
systemctl reload fantail
(while :; do login >/dev/null; done) &
users=$!
found doctor/term-fails --watch 3s
{ kill $users; wait $users; } 2>/dev/null || true
recover
echo '!include /etc/dovecot/dovecot.conf' >$config
systemctl reload fantail
found doctor/no-metrics
recover

# fantail's side.
away() {
	if [ "$series" = 2.3 ]; then
		printf 'event_exporter away {\n  format = json\n  format_args = time-rfc3339\n'
		printf '  transport = http-post\n  transport_args = http://127.0.0.1:1/\n'
	else
		printf 'event_exporter away {\n  format = json\n  time_format = rfc3339\n'
		printf '  driver = http-post\n  http_post_url = http://127.0.0.1:1/\n'
	fi
	printf '%s}\nmetric all {\n  filter = event=*\n  exporter = away\n}\n' "$1"
}
away '' >>$config
systemctl reload fantail
login >/dev/null
found doctor/export-fails
recover
away $'  delivery = spool\n  spool_path = /var/lib/fantail/spool/away\n  spool_size = 64K\n' >>$config
systemctl reload fantail
(while :; do login >/dev/null; done) &
users=$!
found doctor/spool-near-limit
{ kill $users; wait $users; } 2>/dev/null || true
recover
serve_with --max-payload 16
wrong_password
found doctor/export-drops
recover
sed -i 's/port = 9900/port = 9901/' $config
systemctl reload fantail
found doctor/scrape-fails
recover
serve="fantail serve --config $config" serve_with --state /nonexistent/state
found doctor/state-file
recover
echo 'metric broken {' >>$config
systemctl restart fantail 2>/dev/null || true
until_so systemctl is-failed fantail
found doctor/unit-failed
recover

# A delivery agent of Dovecot 2.3 complains, and Postfix passes that on to the journal;
# 2.4 goes on in silence.
if [ "$series" = 2.3 ]; then
	{ setpriv --reuid nobody --regid nogroup --clear-groups \
		/usr/lib/dovecot/dovecot-lda -d anna </dev/null 2>&1 || true; } |
		systemd-cat --identifier=postfix/pipe
	found doctor/permission-denied
fi
step "$faults faults were planted and found"
echo "all is well"
