echo @@user; shown=`id`; echo "$shown"
echo @@passwd
separators=$IFS
IFS='=('; set -- $shown; IFS=$separators
getent passwd "$2" 2>/dev/null || awk -F: '$3 == u' u="$2" /etc/passwd
