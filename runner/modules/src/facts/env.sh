echo @@env; env
