echo @@platform
set -- `uname -snrvm`
system=$1
echo "$1"; echo "$2"; echo "$3"
shift; shift; shift
version=$1
shift
while [ $# -gt 1 ]; do version="$version $1"; shift; done
echo "$1"; echo "$version"
if [ "$system" = Linux ]; then
echo @@fqdn; hostname -f 2>/dev/null
echo @@userspace; getconf LONG_BIT 2>/dev/null
fi
echo @@machine_id
for f in /etc/machine-id /var/lib/dbus/machine-id; do
if [ -r $f ]; then read line <$f; echo "$line"; fi
done
