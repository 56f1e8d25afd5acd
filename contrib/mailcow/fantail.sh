#!/bin/bash
# data/hooks/dovecot/fantail.sh (executable): mailcow runs it when the container
# starts, before supervisord, which then runs fantail.
set -euo pipefail

conf=/etc/supervisor/supervisord.conf
socket=/run/dovecot/stats-writer

# What the last run of the container left.
rm -f "$socket"

if ! grep -q '^\[program:fantail\]' "$conf"; then
  # A process of Dovecot that finds no socket when it starts does not look again, so
  # Dovecot waits for fantail, for 10 seconds at most.
  sed -i "s|^command=\(/.*/dovecot -F\)\$|command=bash -c \"for i in {1..100}; do [ -S $socket ] \&\& break; sleep 0.1; done; exec \1\"|" "$conf"
  cat >>"$conf" <<'END'

[program:fantail]
command=nice -n 8 /usr/local/bin/fantail serve --config /etc/fantail/fantail.conf --state /var/lib/fantail/state
autorestart=true
stopwaitsecs=30
stdout_logfile=/dev/fd/1
stdout_logfile_maxbytes=0
redirect_stderr=true
END
fi
