echo @@platform
uname -s; uname -n; uname -r; uname -m; uname -v
if [ "`uname -s`" = Linux ]; then
echo @@fqdn; hostname -f 2>/dev/null
echo @@userspace; getconf LONG_BIT 2>/dev/null
fi
echo @@machine_id; cat /etc/machine-id /var/lib/dbus/machine-id 2>/dev/null
