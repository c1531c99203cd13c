echo @@packages
for f in /usr/bin/dnf5 /usr/bin/dnf /usr/bin/dnf-3 /usr/bin/yum /usr/bin/apt-get /usr/bin/zypper /sbin/apk /usr/bin/pacman /usr/bin/emerge /usr/bin/xbps-install /opt/csw/bin/pkgutil /usr/bin/pkg /usr/sbin/pkgadd /usr/sbin/swlist; do
if [ -f $f ]; then echo $f; fi
done
echo @@services
if [ -d /run/systemd/system ] || [ -d /dev/.run/systemd ]; then echo systemd; fi
if [ -r /proc/1/comm ]; then read line </proc/1/comm; echo "$line"; fi
# Linux shells know -ef; where they do not, or it is something else, the link is shown.
if [ /sbin/init -ef /lib/systemd/systemd ] 2>/dev/null; then echo systemd
elif [ -h /sbin/init ]; then ls -l /sbin/init 2>/dev/null
fi
for f in /sbin/openrc /etc/init.d /usr/sbin/svcadm /sbin/initctl; do
if [ -f $f ] || [ -d $f ]; then echo $f; fi
done
if [ -d /run/systemd/system ]; then
echo @@systemd
systemctl --version 2>/dev/null
fi
