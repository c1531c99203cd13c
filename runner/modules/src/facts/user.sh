echo @@user; shown=`id`; echo "$shown"
echo @@passwd
separators=$IFS
IFS='=('; set -- $shown; IFS=$separators
# The first account of the file is most often ours; all others are asked for.
user=$2 line= number=
if [ -r /etc/passwd ]; then
read line </etc/passwd
IFS=:; read name word number rest </etc/passwd; IFS=$separators
fi
if [ -n "$user" ] && [ "$number" = "$user" ]; then echo "$line"
else getent passwd "$user" 2>/dev/null || awk -F: '$3 == u' u="$user" /etc/passwd
fi
