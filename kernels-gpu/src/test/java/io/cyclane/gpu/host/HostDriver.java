package io.cyclane.gpu.host;

import io.cyclane.gpu.driver.CudaVersion;
import io.cyclane.gpu.driver.Device;
import io.cyclane.gpu.driver.Driver;
import io.cyclane.gpu.driver.Grid;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Assumptions;

/**
 * A driver whose device is the host: the sources that nvcc compiles to PTX, compiled by g++ and run
 * block by block. It counts what it is asked to do, and it can be made to go wrong.
 */
public final class HostDriver implements Driver {
    /** What the device says it has. */
    static final long MEMORY_BYTES = 4L << 30;

    private final Map<String, UnaryOperator<String>> changes = new HashMap<>();
    private final Map<String, Long> launches = new TreeMap<>();
    private final AtomicLong uploads = new AtomicLong();
    private final AtomicLong captures = new AtomicLong();
    private final AtomicLong graphLaunches = new AtomicLong();
    private final AtomicLong overlaps = new AtomicLong();
    private final AtomicLong liveBytes = new AtomicLong();
    private UnaryOperator<Grid> geometry = UnaryOperator.identity();
    private long lostAfter = Long.MAX_VALUE;

    /**
     * {@return the driver, where kernels can be compiled; else the test is skipped and says why}
     */
    public static HostDriver orSkip() {
        Optional<String> obstacle = HostCompiler.obstacle();
        obstacle.ifPresent(
                why -> System.out.println("GPU kernels are not run on the host: " + why));
        Assumptions.assumeTrue(obstacle.isEmpty(), () -> obstacle.orElseThrow());
        return new HostDriver();
    }

    /** Changes the text of a source, its headers in it, before it is compiled. */
    public HostDriver changing(String source, UnaryOperator<String> change) {
        changes.put(source, change);
        return this;
    }

    /** Changes the grid of every launch. */
    public HostDriver withGeometry(UnaryOperator<Grid> change) {
        geometry = change;
        return this;
    }

    /** Loses the device at the launch that follows so many more. */
    public void loseAfter(long moreLaunches) {
        lostAfter = totalLaunches() + moreLaunches;
    }

    /** {@return how often each kernel was launched, in graphs too} */
    public Map<String, Long> launches() {
        return launches;
    }

    /** {@return how many launches there were} */
    public long totalLaunches() {
        return launches.values().stream().mapToLong(Long::longValue).sum();
    }

    /** {@return how many copies to the device there were} */
    public long uploads() {
        return uploads.get();
    }

    /** {@return how many graphs were captured} */
    public long captures() {
        return captures.get();
    }

    /** {@return how often a graph was launched} */
    public long graphLaunches() {
        return graphLaunches.get();
    }

    /** {@return how often a run was waited for while another was already begun} */
    public long overlaps() {
        return overlaps.get();
    }

    /** {@return the device memory that is not given back} */
    public long liveBytes() {
        return liveBytes.get();
    }

    /** {@return the library of a source with these kernels, as it is or changed} */
    Path library(String source, List<String> kernels) {
        UnaryOperator<String> change = changes.get(source);
        if (change == null) {
            return HostCompiler.library(
                    source, HostCompiler.text(source), kernels, HostCompiler.OPTIMISED);
        }
        String text = HostCompiler.wholeText(source);
        String changed = change.apply(text);
        if (changed.equals(text)) {
            throw new IllegalStateException("the change of " + source + " changes nothing");
        }
        return HostCompiler.library(source, changed, kernels, HostCompiler.AS_IT_IS);
    }

    Grid changed(Grid grid) {
        return geometry.apply(grid);
    }

    /** Counts a launch. Returns whether the device survives it. */
    boolean survives(String kernel) {
        if (totalLaunches() >= lostAfter) {
            return false;
        }
        launches.merge(kernel, 1L, Long::sum);
        return true;
    }

    void countUpload() {
        uploads.incrementAndGet();
    }

    void countCapture() {
        captures.incrementAndGet();
    }

    void countGraphLaunch() {
        graphLaunches.incrementAndGet();
    }

    void countOverlap() {
        overlaps.incrementAndGet();
    }

    void countBytes(long more) {
        liveBytes.addAndGet(more);
    }

    @Override
    public Optional<String> obstacle(CudaVersion needed) {
        return HostCompiler.obstacle();
    }

    @Override
    public Device open() {
        return new HostDevice(this);
    }
}
