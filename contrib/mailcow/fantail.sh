#!/bin/bash
# data/hooks/dovecot/fantail.sh (executable): mailcow runs it when the container
# starts, before supervisord, which then runs fantail.
set -euo pipefail

conf=/etc/supervisor/supervisord.conf
if ! grep -q '^\[program:fantail\]' "$conf"; then
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
