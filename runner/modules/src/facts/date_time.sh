echo @@date
date '+%Y %m %d %H %M %S %A %w %W %Z %z %s'
date -u '+%Y-%m-%dT%H:%M:%SZ'
