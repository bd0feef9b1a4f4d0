package io.cyclane.gpu.host;

import io.cyclane.gpu.launch.Entry;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.stream.Collectors;

/** A model of libcuda, compiled, with the kernels it runs. */
public record CudaModel(Path folder, String kernels) {
    /** {@return the model, built where it is not yet} */
    public static CudaModel build() {
        Map<String, java.util.List<String>> sources =
                Arrays.stream(Entry.values())
                        .collect(
                                Collectors.groupingBy(
                                        Entry::source,
                                        Collectors.mapping(Entry::kernel, Collectors.toList())));
        String kernels =
                sources.entrySet().stream()
                        .map(source ->
                                HostCompiler.library(
                                                source.getKey(),
                                                HostCompiler.text(source.getKey()),
                                                source.getValue(),
                                                HostCompiler.OPTIMISED)
                                        .toString())
                        .collect(Collectors.joining(":"));
        return new CudaModel(HostCompiler.cudaModel(), kernels);
    }

    /** {@return what a process needs in its environment to find it} */
    public Map<String, String> environment() {
        return Map.of("LD_LIBRARY_PATH", folder.toString(), "CYCLANE_HOST_KERNELS", kernels);
    }
}
