echo @@date
now=`date '+%Y %m %d %H %M %S %A %w %W %Z %z %s'`
echo "$now"
case $now in
*[0-9]) ;;
*) date -u '+%Y-%m-%dT%H:%M:%SZ' ;;
esac
