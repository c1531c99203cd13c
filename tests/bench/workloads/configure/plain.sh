# The same work as plain lines that look before they change. @DIR@, @NAME@ and @SITE@ are the host's own.
uname -srm; cat /etc/os-release; id -u
test -d @DIR@/etc || mkdir -p @DIR@/etc; chmod 0750 @DIR@/etc
test -d @DIR@/etc/sections || mkdir -p @DIR@/etc/sections; chmod 0750 @DIR@/etc/sections
test -d @DIR@/var || mkdir -p @DIR@/var; chmod 0750 @DIR@/var
test -d @DIR@/var/log || mkdir -p @DIR@/var/log; chmod 0750 @DIR@/var/log
test -d @DIR@/bin || mkdir -p @DIR@/bin; chmod 0750 @DIR@/bin
f=@DIR@/etc/app.conf; printf '# configuration of @NAME@\nworkers = %s\nuser ann 1001\nuser bea 1002\nuser cem 1003\n' $((@SITE@ % 4 + 1)) > $f.new; chmod 0640 $f.new; if cmp -s $f.new $f; then rm $f.new; else mv $f.new $f; fi
f=@DIR@/etc/sections/web; printf 'section web {\n    host web.@NAME@;\n    root /srv/web;\n}\n' > $f.new; chmod 0644 $f.new; if cmp -s $f.new $f; then rm $f.new; else mv $f.new $f; fi
f=@DIR@/etc/sections/mail; printf 'section mail {\n    host mail.@NAME@;\n    root /srv/mail;\n}\n' > $f.new; chmod 0644 $f.new; if cmp -s $f.new $f; then rm $f.new; else mv $f.new $f; fi
f=@DIR@/etc/sections/news; printf 'section news {\n    host news.@NAME@;\n    root /srv/news;\n}\n' > $f.new; chmod 0644 $f.new; if cmp -s $f.new $f; then rm $f.new; else mv $f.new $f; fi
f=@DIR@/etc/greeting; printf 'This is @NAME@, a Linux machine.\n' > $f.new; chmod 0644 $f.new; if cmp -s $f.new $f; then rm $f.new; else mv $f.new $f; fi
f=@DIR@/bin/start; printf '#!/bin/sh\nexec sleep 1\n' > $f.new; chmod 0755 $f.new; if cmp -s $f.new $f; then rm $f.new; else mv $f.new $f; fi
test -f @DIR@/etc/app.ini || printf 'mode=old\n' > @DIR@/etc/app.ini
sed 's/^mode=old$/mode=new/' @DIR@/etc/app.ini > @DIR@/etc/app.ini.new; if cmp -s @DIR@/etc/app.ini.new @DIR@/etc/app.ini; then rm @DIR@/etc/app.ini.new; else mv @DIR@/etc/app.ini.new @DIR@/etc/app.ini; fi
grep -qx 'owner=bench' @DIR@/etc/app.ini || echo 'owner=bench' >> @DIR@/etc/app.ini
grep -qx "clients=$((@SITE@ + 10))" @DIR@/etc/app.ini || echo "clients=$((@SITE@ + 10))" >> @DIR@/etc/app.ini
grep -q BEGIN @DIR@/etc/greeting.d 2>/dev/null || printf '# BEGIN\nsite @SITE@\n# END\n' >> @DIR@/etc/greeting.d
stat -c '%a %s %Y' @DIR@/etc/app.conf
cat @DIR@/etc/app.ini
test "`readlink @DIR@/etc/current`" = @DIR@/etc/app.conf || ln -sfn @DIR@/etc/app.conf @DIR@/etc/current
test -f @DIR@/var/log/app.log || touch @DIR@/var/log/app.log
test -f @DIR@/var/initialised || touch @DIR@/var/initialised
rm -f @DIR@/etc/old.conf
base64 @DIR@/etc/greeting
test -f @DIR@/var/reloaded || touch @DIR@/var/reloaded
test -f @DIR@/var/restarted || echo restarted >> @DIR@/var/restarted
