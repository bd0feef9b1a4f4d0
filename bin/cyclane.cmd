@echo off
rem Runs the command line on a JDK 25 that it finds, from the caller's own folder; builds it first where that is due.
rem Usage: bin\cyclane [command] [arguments]      (bin\cyclane --help)
rem CYCLANE_JDKS, folders in quotes parted by semicolons, stands in for the usual folders of JDKs.
setlocal EnableExtensions DisableDelayedExpansion
for %%I in ("%~dp0..") do set "CYCLANE_DIR=%%~fI"

set "JDK="
if defined JAVA_HOME call :try "%JAVA_HOME:"=%"
if not defined JDK for /f "delims=" %%J in ('where javac 2^>nul') do call :try "%%~dpJ.."
if not defined JDK if defined CYCLANE_JDKS for %%J in (%CYCLANE_JDKS%) do call :try "%%~J"
if not defined JDK if not defined CYCLANE_JDKS for /d %%J in (
    "%ProgramFiles%\Eclipse Adoptium\*25*" "%ProgramFiles%\Java\*25*" "%ProgramFiles%\Microsoft\*25*"
    "%ProgramFiles%\Zulu\*25*" "%ProgramFiles%\Amazon Corretto\*25*" "%ProgramFiles%\BellSoft\*25*"
    "%USERPROFILE%\.jdks\*25*" "%USERPROFILE%\.gradle\jdks\*25*"
) do call :try "%%~J"
if not defined JDK (
    >&2 echo cyclane: no JDK 25 found: install one ^(https://adoptium.net^) or set JAVA_HOME to it
    exit /b 1
)
set "JAVA_HOME=%JDK%"
set "APP=%CYCLANE_DIR%\serve\target\app"

call :built && goto run
if not exist "%CYCLANE_DIR%\target" mkdir "%CYCLANE_DIR%\target" 2>nul
set "HELD="
:lock
rem Whoever can open the file for writing has the lock, and loses it with its process.
3>&2 2>nul (9>"%CYCLANE_DIR%\target\cyclane.lock" (2>&3 call :build))
if not defined HELD (
    ping -n 2 127.0.0.1 >nul
    goto lock
)
if not "%HELD%"=="built" exit /b 1

:run
"%JAVA_HOME%\bin\java.exe" "@%CYCLANE_DIR%\conf\java.args" "@%CYCLANE_DIR%\conf\small.args" "-Dcyclane.home=%CYCLANE_DIR%" "-Djava.util.logging.SimpleFormatter.format=cyclane: %%5$s%%6$s%%n" -cp "%APP%\*" io.cyclane.serve.Main %*
exit /b %ERRORLEVEL%

rem Sets JDK to the folder if that is a JDK 25, unless one was found before.
:try
if defined JDK exit /b 0
if not exist "%~1\bin\java.exe" exit /b 0
if not exist "%~1\bin\javac.exe" exit /b 0
if not exist "%~1\release" exit /b 0
findstr /r /c:"^JAVA_VERSION=.25[^0-9]" "%~1\release" >nul || exit /b 0
for %%I in ("%~1") do set "JDK=%%~fI"
exit /b 0

rem Succeeds if nothing that the jars are made of is newer than they are.
:built
powershell -NoProfile -NonInteractive -Command ^
    "$built = Get-Item -LiteralPath ($env:APP + '\.built') -ErrorAction SilentlyContinue;" ^
    "if (-not $built) { exit 1 };" ^
    "$sources = @(Get-Item -LiteralPath ($env:CYCLANE_DIR + '\pom.xml'));" ^
    "foreach ($module in 'tensor', 'kernels-cpu', 'model', 'train', 'serve') {" ^
    "    $folder = $env:CYCLANE_DIR + '\' + $module;" ^
    "    $sources += Get-Item -LiteralPath ($folder + '\pom.xml');" ^
    "    $sources += Get-ChildItem -LiteralPath ($folder + '\src\main') -Recurse -ErrorAction SilentlyContinue };" ^
    "if ($sources | Where-Object { $_.LastWriteTime -gt $built.LastWriteTime }) { exit 1 }; exit 0"
exit /b %ERRORLEVEL%

rem Runs with the lock held. HELD says how it went: built or failed.
:build
set "HELD=failed"
call :built && (
    set "HELD=built"
    exit /b 0
)
where mvn >nul 2>nul || (
    >&2 echo cyclane: no Maven found: install it, 3.8.7 or later ^(https://maven.apache.org^), and put mvn on PATH
    exit /b 1
)
>&2 echo cyclane: building it first, about a minute where Maven has to fetch libraries ...
set "LOG=%CYCLANE_DIR%\target\cyclane-build.log"
set "STARTED=%CYCLANE_DIR%\target\cyclane-build.started"
>"%STARTED%" echo started
if exist "%APP%" rmdir /s /q "%APP%"
pushd "%CYCLANE_DIR%"
call mvn -B -pl serve -am -DskipTests -Dspotless.check.skip=true package >"%LOG%" 2>&1
set "RESULT=%ERRORLEVEL%"
popd
if not "%RESULT%"=="0" (
    >&2 findstr /b /l /c:"[ERROR]" /c:"[WARNING]" "%LOG%"
    >&2 echo cyclane: the build failed: see above, or all of it in %LOG%
    exit /b 1
)
powershell -NoProfile -NonInteractive -Command ^
    "(New-Item -Force -ItemType File ($env:APP + '\.built')).LastWriteTime = (Get-Item -LiteralPath $env:STARTED).LastWriteTime"
set "HELD=built"
exit /b 0
