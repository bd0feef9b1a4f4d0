package io.cyclane.serve.command;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ProcessorShareTest {
    @TempDir Path root;

    @Test
    void theLeastOfTheGroupAndThoseAroundIt() throws IOException {
        write("a/b/cpu.max", "max 100000\n");
        write("a/cpu.max", "50000 100000\n");
        write("cpu.max", "200000 100000\n");
        assertEquals(OptionalDouble.of(0.5), ProcessorShare.of(root, List.of("0::/a/b")));
        assertEquals(OptionalDouble.of(2), ProcessorShare.of(root, List.of("0::/elsewhere/b")));
    }

    @Test
    void version1HasTwoFiles() throws IOException {
        write("cpu/pod/cpu.cfs_quota_us", "150000\n");
        write("cpu/pod/cpu.cfs_period_us", "100000\n");
        write("cpu/cpu.cfs_quota_us", "-1\n");
        write("cpu/cpu.cfs_period_us", "100000\n");
        List<String> groups = List.of("9:name=systemd:/", "3:cpu,cpuacct:/pod", "2:cpuset:/");
        assertEquals(OptionalDouble.of(1.5), ProcessorShare.of(root, groups));
        assertEquals(OptionalDouble.empty(), ProcessorShare.of(root, List.of("3:cpu:/")));
    }

    @Test
    void noneWhereNothingIsSaid() throws IOException {
        write("cpu.max", "max 100000\n");
        assertEquals(OptionalDouble.empty(), ProcessorShare.of(root, List.of("0::/")));
        assertEquals(OptionalDouble.empty(), ProcessorShare.of(root, List.of()));
    }

    private void write(String file, String text) throws IOException {
        Path path = root.resolve(file);
        Files.createDirectories(path.getParent());
        Files.writeString(path, text);
    }
}
