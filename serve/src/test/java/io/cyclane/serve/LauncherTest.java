package io.cyclane.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The scripts of {@code bin}, copied into a folder with a space in its name and run with a JDK and
 * a Maven that are scripts too: the one prints its arguments, the other counts its calls.
 */
class LauncherTest {
    private static final String USUAL_PATH = "/usr/bin:/bin";

    @TempDir Path temporary;
    private Path home;
    private Path jdk;
    private Path tools;

    /** What a script did. */
    private record Outcome(int exitCode, String out, String err) {}

    static Path root() {
        Path root = Path.of("").toAbsolutePath();
        while (!Files.isDirectory(root.resolve(".mvn"))) {
            root = root.getParent();
        }
        return root;
    }

    /** Goes on if so; else ends the test as skipped, and prints why, which Surefire does not. */
    static void orSkip(boolean possible, String why) {
        if (!possible) {
            System.out.println("skipped: " + why);
        }
        assumeTrue(possible, why);
    }

    @BeforeEach
    void copyTheScripts() throws IOException {
        boolean linux = System.getProperty("os.name").equals("Linux");
        orSkip(linux && Files.isExecutable(Path.of("/bin/bash")), "this is no Linux with bash");
        home = Files.createDirectories(temporary.resolve("a home"));
        List<String> files =
                List.of(
                        "bin/cyclane",
                        "bin/verify",
                        "bin/build",
                        "bin/gpu",
                        "bin/archive",
                        "bin/java25",
                        "conf/java.args",
                        "conf/small.args");
        for (String file : files) {
            Files.createDirectories(home.resolve(file).getParent());
            Files.copy(root().resolve(file), home.resolve(file));
        }
        for (String module : List.of("tensor", "kernels-cpu", "model", "train", "serve")) {
            write(home.resolve(module).resolve("pom.xml"), "<project/>", false);
            write(home.resolve(module).resolve("src/main/java/A.java"), "class A {}", false);
        }
        write(home.resolve("pom.xml"), "<project/>", false);
        jdk = jdk("a jdk", "25.0.3");
        tools = temporary.resolve("the tools");
        write(
                tools.resolve("mvn"),
                """
                #!/bin/bash
                echo "$*" >>calls
                sleep 0.3
                for argument; do
                    case $argument in -Dapp=*) mkdir -p "serve/target/${argument#-Dapp=}" ;; esac
                done
                """,
                true);
    }

    @Test
    void withoutAJdkItSaysSoInOneLine() throws Exception {
        Files.delete(jdk.resolve("release"));
        for (String script : List.of("cyclane", "verify")) {
            Outcome outcome = run(script, "", Map.of());
            assertEquals(1, outcome.exitCode);
            assertEquals("", outcome.out);
            assertTrue(
                    outcome.err.matches(script + ": no JDK 25 found: install one .*\\n"),
                    outcome.err);
        }
    }

    @Test
    void withoutMavenItSaysSoInOneLine() throws Exception {
        Path few = temporary.resolve("few tools");
        for (String tool : List.of("find", "head", "mkdir", "ln", "rm")) {
            write(few.resolve(tool), "#!/bin/bash\nexec /usr/bin/" + tool + " \"$@\"\n", true);
        }
        for (String script : List.of("cyclane", "verify")) {
            Outcome outcome = run(script, few.toString(), Map.of());
            assertEquals(1, outcome.exitCode, outcome.err);
            List<String> lines = outcome.err.lines().toList();
            assertEquals(1, lines.size(), outcome.err);
            assertTrue(lines.getFirst().startsWith(script + ": no Maven found"), outcome.err);
        }
    }

    @Test
    void findsA25AmongOthers() throws Exception {
        Path old = jdk("an old jdk", "17.0.15");
        Path newer = jdk("jdk 25.1", "25-ea");
        assertEquals(newer.toString(), found(Map.of("JAVA_HOME", newer.toString())));
        assertEquals(jdk.toString(), found(Map.of("JAVA_HOME", old.toString())));
        assertEquals(jdk.toString(), found(Map.of("JAVA_HOME", "/no/such/folder")));
        String path = old.resolve("bin") + ":" + newer.resolve("bin");
        assertEquals(newer.toString(), found(Map.of("PATH", path + ":" + USUAL_PATH)));
        Path link =
                Files.createSymbolicLink(temporary.resolve("javac"), newer.resolve("bin/javac"));
        String linked = link.getParent() + ":" + USUAL_PATH;
        assertEquals(newer.toRealPath().toString(), found(Map.of("PATH", linked)));
        assertEquals(
                newer.toString(),
                found(Map.of("CYCLANE_JDKS", "/no/such:" + old + ":" + newer, "JAVA_HOME", "")));
    }

    @Test
    void buildsOnceAndRunsInTheCallersFolder() throws Exception {
        Outcome first = run("cyclane", path(), Map.of(), "embed", "two words", "");
        assertEquals(0, first.exitCode, first.err);
        assertEquals(
                List.of(
                        "in " + temporary.toRealPath(),
                        "@" + home.toRealPath() + "/conf/java.args",
                        "@" + home.toRealPath() + "/conf/small.args",
                        "-Dcyclane.home=" + home.toRealPath(),
                        "-Dcyclane.terminal=false",
                        "-Djava.util.logging.SimpleFormatter.format=cyclane: %5$s%6$s%n",
                        "-cp",
                        home.toRealPath() + "/serve/target/app/*",
                        "io.cyclane.serve.Main",
                        "embed",
                        "two words",
                        ""),
                first.out.lines().toList());
        assertEquals(1, first.err.lines().count(), first.err);
        Outcome second = run("cyclane", path(), Map.of(), "embed");
        assertEquals("", second.err);
        assertEquals(1, builds());
    }

    @Test
    void buildsAgainWhenASourceOrAPomIsNewerOrGone() throws Exception {
        run("cyclane", path(), Map.of());
        Path source = home.resolve("model/src/main/java/A.java");
        FileTime later = FileTime.from(Instant.now().plusSeconds(5));
        Files.setLastModifiedTime(source, later);
        run("cyclane", path(), Map.of());
        assertEquals(2, builds());
        Files.setLastModifiedTime(source, FileTime.from(Instant.now().minusSeconds(60)));
        Files.setLastModifiedTime(home.resolve("train/pom.xml"), later);
        run("cyclane", path(), Map.of());
        assertEquals(3, builds());
        Files.setLastModifiedTime(
                home.resolve("train/pom.xml"), FileTime.from(Instant.now().minusSeconds(60)));
        run("cyclane", path(), Map.of());
        assertEquals(3, builds());
        Thread.sleep(20);
        Files.delete(source);
        run("cyclane", path(), Map.of());
        assertEquals(4, builds());
    }

    @Test
    void takesTheGpuBackendAlongOnlyWhereItIsAskedFor() throws Exception {
        String ours = "/serve/target/app/*";
        String withGpu = "/serve/target/app-with-gpu/*";
        assertTrue(run("cyclane", path(), Map.of(), "embed", "gpu").out.contains(ours));
        assertTrue(run("cyclane", path(), Map.of(), "embed", "backend=gpu").out.contains(ours));
        assertFalse(Files.readString(home.resolve("calls")).contains("-Pgpu"));
        List<List<String>> asking =
                List.of(
                        List.of("embed", "--backend", "gpu"),
                        List.of("embed", "--backend=auto"),
                        List.of("doctor", "--backend", "both"));
        for (List<String> arguments : asking) {
            Outcome asked = run("cyclane", path(), Map.of(), arguments.toArray(String[]::new));
            assertTrue(asked.out.contains(withGpu), asked.out);
        }
        assertTrue(
                run("cyclane", path(), Map.of("CYCLANE_BACKEND", "gpu"), "embed")
                        .out
                        .contains(withGpu));
        assertTrue(
                run("cyclane", path(), Map.of("CYCLANE_BACKEND", "gpu"), "x", "--backend", "cpu")
                        .out
                        .contains(ours));
        assertEquals(2, builds(), "one build each");
        assertTrue(Files.readString(home.resolve("calls")).contains("-Dapp=app-with-gpu -Pgpu"));
    }

    @Test
    void takesTheGpuBackendAlongWhereTheDriverIs() throws Exception {
        Path driver = Files.createDirectories(temporary.resolve("a driver"));
        Files.writeString(driver.resolve("libcuda.so.1"), "");
        Map<String, String> there =
                Map.of("LD_LIBRARY_PATH", "/no/such:" + driver, "CYCLANE_BACKEND", "");
        assertTrue(run("cyclane", path(), there, "embed").out.contains("/app-with-gpu/*"));
        assertTrue(run("cyclane", path(), there, "embed", "--backend=cpu").out.contains("/app/*"));
    }

    @Test
    void firstUsesAtOnceBuildOnce() throws Exception {
        // A holder that is gone, too: its number is above any that Linux gives.
        Files.createDirectories(home.resolve("target"));
        Files.createSymbolicLink(home.resolve("target/cyclane.lock"), Path.of("99999999"));
        List<Process> processes = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            processes.add(start("cyclane", path(), Map.of(), "use " + i).start());
        }
        for (Process process : processes) {
            Outcome outcome = finish(process);
            assertEquals(0, outcome.exitCode, outcome.err);
        }
        assertEquals(1, builds());
        assertTrue(Files.notExists(home.resolve("target/cyclane.lock")));
    }

    @Test
    void aFailedBuildShowsWhyAndIsTriedAgain() throws Exception {
        write(
                tools.resolve("mvn"),
                """
                #!/bin/bash
                echo call >>calls
                echo '[INFO] Scanning for projects...'
                echo '[ERROR] A.java:[3,1] reached end of file while parsing'
                exit 1
                """,
                true);
        for (int tries = 1; tries <= 2; tries++) {
            Outcome outcome = run("cyclane", path(), Map.of(), "embed");
            assertEquals(1, outcome.exitCode);
            assertEquals("", outcome.out);
            List<String> lines = outcome.err.lines().toList();
            assertEquals(3, lines.size(), outcome.err);
            assertEquals("[ERROR] A.java:[3,1] reached end of file while parsing", lines.get(1));
            assertTrue(lines.get(2).startsWith("cyclane: the build failed"), outcome.err);
            assertEquals(tries, builds());
        }
        assertTrue(Files.notExists(home.resolve("target/cyclane.lock")));
    }

    @Test
    void archivesItsClassesOnTheSecondRunAndAgainWhenAJarIsNewer() throws Exception {
        jdkThatArchives();
        run("cyclane", path(), Map.of(), "--version");
        Path app = home.resolve("serve/target/app");
        Path jar = Files.writeString(app.resolve("a.jar"), "");
        Path archive = app.resolve("classes-25.0.3+9.jsa");
        String use = "-XX:SharedArchiveFile=" + app.toRealPath();
        assertTrue(Files.notExists(archive), "nothing to archive yet");

        Outcome notes = run("cyclane", path(), Map.of(), "embed", "a text");
        assertTrue(notes.out.contains("-XX:DumpLoadedClassList="), notes.out);
        Outcome makes = run("cyclane", path(), Map.of(), "--version");
        assertEquals("cyclane: archiving its classes, once, for quicker starts ...\n", makes.err);
        assertTrue(makes.out.contains(use), makes.out);
        assertEquals("A\n", Files.readString(archive), "no reference of a class of Java 5");
        Outcome uses = run("cyclane", path(), Map.of(), "--version");
        assertEquals("", uses.err);
        assertTrue(uses.out.contains(use), uses.out);
        assertFalse(uses.out.contains("Verify"), uses.out);
        FileTime made = Files.getLastModifiedTime(archive);
        Files.writeString(archive, "B\n");
        Files.setLastModifiedTime(archive, made);
        Outcome mends = run("cyclane", path(), Map.of(), "--version");
        assertEquals("cyclane: archiving its classes, once, for quicker starts ...\n", mends.err);
        assertTrue(mends.out.contains(use), mends.out);
        assertEquals("A\n", Files.readString(archive));
        Files.writeString(archive, "B\n");
        Files.createSymbolicLink(home.resolve("target/cyclane.lock"), Path.of("1"));
        Outcome checks = run("cyclane", path(), Map.of(), "--version");
        assertTrue(checks.out.contains("-XX:+VerifySharedSpaces"), checks.out);
        Files.delete(home.resolve("target/cyclane.lock"));

        Files.setLastModifiedTime(jar, FileTime.from(Instant.now().plusSeconds(5)));
        Outcome stale = run("cyclane", path(), Map.of(), "embed", "a text");
        assertTrue(stale.out.contains("-XX:DumpLoadedClassList="), stale.out);
        assertTrue(Files.notExists(archive));
    }

    @Test
    void whereNoArchiveCanBeMadeItSaysSoOnceAndRuns() throws Exception {
        jdkThatArchives();
        write(
                jdk.resolve("bin/java"),
                Files.readString(jdk.resolve("bin/java")).replace("cp \"$list\"", "exit 1; cp"),
                true);
        run("cyclane", path(), Map.of(), "embed", "a text");
        Outcome failed = run("cyclane", path(), Map.of(), "embed", "a text");
        assertEquals(0, failed.exitCode);
        assertEquals(2, failed.err.lines().count(), failed.err);
        Outcome after = run("cyclane", path(), Map.of(), "embed", "a text");
        assertEquals("", after.err);
        assertTrue(after.out.contains("a text"), after.out);
    }

    /** A JDK that says its full version, and whose java writes what it is asked to dump. */
    private void jdkThatArchives() throws IOException {
        write(
                jdk.resolve("release"),
                "JAVA_VERSION=\"25.0.3\"\nJAVA_RUNTIME_VERSION=\"25.0.3+9\"\n",
                false);
        write(
                jdk.resolve("bin/java"),
                """
                #!/bin/bash
                for option; do
                    case $option in
                        -XX:DumpLoadedClassList=*) printf 'A\\n@cp picocli/B 1\\n' >"${option#*=}" ;;
                        -Xshare:dump) dumps=yes ;;
                        -XX:SharedClassListFile=*) list=${option#*=} ;;
                        -XX:SharedArchiveFile=*) [ -z "$dumps" ] || cp "$list" "${option#*=}" ;;
                    esac
                done
                printf '%s\\n' "$@"
                """,
                true);
    }

    private String path() {
        return tools + ":" + USUAL_PATH;
    }

    private long builds() throws IOException {
        return Files.readAllLines(home.resolve("calls")).size();
    }

    private String found(Map<String, String> environment) throws Exception {
        ProcessBuilder builder =
                new ProcessBuilder(
                        "/bin/bash",
                        "-c",
                        "set -euo pipefail; . \"$1\"; printf %s \"$JAVA_HOME\"",
                        "test",
                        home.resolve("bin/java25").toString());
        builder.environment().clear();
        builder.environment().put("PATH", USUAL_PATH);
        builder.environment().put("CYCLANE_JDKS", jdk.toString());
        builder.environment().putAll(environment);
        Outcome outcome = finish(builder.start());
        assertEquals(0, outcome.exitCode, outcome.err);
        return outcome.out;
    }

    private Outcome run(
            String script, String path, Map<String, String> environment, String... arguments)
            throws Exception {
        return finish(start(script, path, environment, arguments).start());
    }

    /** Nothing of the machine's own shows through: no home folder, no JDK but ours. */
    private ProcessBuilder start(
            String script, String path, Map<String, String> environment, String... arguments) {
        List<String> command = new ArrayList<>();
        command.add("/bin/bash");
        command.add(home.resolve("bin").resolve(script).toString());
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command).directory(temporary.toFile());
        builder.environment().clear();
        builder.environment().put("PATH", path);
        builder.environment().put("CYCLANE_JDKS", jdk.toString());
        builder.environment().put("CYCLANE_BACKEND", "cpu"); // whatever drivers the machine has
        builder.environment().putAll(environment);
        return builder;
    }

    private static Outcome finish(Process process) throws Exception {
        process.getOutputStream().close();
        byte[] out = process.getInputStream().readAllBytes();
        byte[] err = process.getErrorStream().readAllBytes();
        if (!process.waitFor(60, TimeUnit.SECONDS)) {
            process.destroyForcibly();
            throw new AssertionError("the script did not end: " + new String(err));
        }
        return new Outcome(process.exitValue(), new String(out), new String(err));
    }

    private Path jdk(String name, String version) throws IOException {
        Path folder = temporary.resolve(name);
        String java = "#!/bin/bash\necho \"in $PWD\"\nprintf '%s\\n' \"$@\"\n";
        write(folder.resolve("bin/java"), java, true);
        write(folder.resolve("bin/javac"), java, true);
        write(folder.resolve("release"), "A=\"1\"\nJAVA_VERSION=\"" + version + "\"\n", false);
        return folder;
    }

    private static void write(Path file, String text, boolean executable) throws IOException {
        Files.createDirectories(file.getParent());
        Files.writeString(file, text);
        if (executable) {
            Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
        }
        File plain = file.toFile();
        assertTrue(plain.setLastModified(System.currentTimeMillis() - 60_000));
    }
}
