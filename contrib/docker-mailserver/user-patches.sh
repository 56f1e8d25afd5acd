#!/bin/bash
# docker-data/dms/config/user-patches.sh, which runs before the daemons start: lets
# Dovecot send its events, and has supervisord run fantail.
set -euo pipefail

# docker-mailserver switches the statistics off in this way.
sed -i '/^ *stats_writer_socket_path *=/d' /etc/dovecot/dovecot.conf

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
