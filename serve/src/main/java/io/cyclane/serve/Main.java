package io.cyclane.serve;

import io.cyclane.serve.command.Cyclane;
import io.cyclane.tensor.backend.Backends;
import java.io.Console;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Where {@code bin/cyclane} begins. */
public final class Main {
    private Main() {}

    /** Runs the command that the arguments name, and ends the process with its exit code. */
    public static void main(String[] arguments) {
        if (Arrays.stream(arguments).noneMatch(a -> a.startsWith("--vector-bits"))) {
            Backends.prepare(); // while the arguments are read, which takes a sixth of a second
        }
        Console console = System.console();
        boolean terminal = console != null && console.isTerminal();
        // Files and pipes are UTF-8 everywhere; a terminal gets what it can show.
        Charset charset = terminal ? System.out.charset() : StandardCharsets.UTF_8;
        PrintWriter out = writer(FileDescriptor.out, charset, false);
        PrintWriter err = writer(FileDescriptor.err, charset, true);
        String watched = System.getProperty("cyclane.terminal", Boolean.toString(terminal));
        Terminal streams = new Terminal(System.in, out, err, Boolean.parseBoolean(watched));
        int exitCode = Cyclane.run(new Models(), streams, arguments);
        System.exit(exitCode);
    }

    private static PrintWriter writer(FileDescriptor file, Charset charset, boolean autoFlush) {
        return new PrintWriter(
                new OutputStreamWriter(new FileOutputStream(file), charset), autoFlush);
    }
}
