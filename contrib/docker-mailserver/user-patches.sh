#!/bin/bash
# docker-data/dms/config/user-patches.sh, which runs before the daemons start: lets
# Dovecot send its events, and has supervisord run fantail.
set -euo pipefail

# docker-mailserver switches the statistics off in this way.
sed -i '/^ *stats_writer_socket_path *=/d' /etc/dovecot/dovecot.conf

# What the last run of the container left.
socket=/run/dovecot/stats-writer
rm -f "$socket"

cat >/etc/supervisor/conf.d/fantail.conf <<'END'
[program:fantail]
command=nice -n 8 /usr/local/bin/fantail serve --config /etc/fantail/fantail.conf --state /var/lib/fantail/state
autostart=true
autorestart=true
stopwaitsecs=30
stdout_logfile=/var/log/supervisor/%(program_name)s.log
stderr_logfile=/var/log/supervisor/%(program_name)s.log
END
supervisorctl update

# A process of Dovecot that finds no socket when it starts does not look again, so
# Dovecot waits for fantail, for 10 seconds at most.
for _ in {1..100}; do
  [ -S "$socket" ] && break
  sleep 0.1
done
