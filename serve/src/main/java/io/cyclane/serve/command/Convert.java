package io.cyclane.serve.command;

import io.cyclane.model.Conversion;
import io.cyclane.model.checkpoint.StoredType;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Writes a model anew with its weights in another number type. */
@Command(
        name = "convert",
        description = "Write a model's folder anew with its weights in another number type.",
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class Convert implements Callable<Integer> {
    /** What weights may be written as. */
    enum Type {
        BF16(StoredType.BF16),
        F16(StoredType.F16),
        F32(StoredType.F32);

        private final StoredType stored;

        Type(StoredType stored) {
            this.stored = stored;
        }

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    private final Cyclane cyclane;

    @Mixin private StoredModel model;
    @Mixin private OutFolder out;

    @Option(
            names = "--dtype",
            paramLabel = "T",
            required = true,
            description = "${COMPLETION-CANDIDATES}; a number too large for it is an error")
    private Type type;

    Convert(Cyclane cyclane) {
        this.cyclane = cyclane;
    }

    @Override
    public Integer call() {
        Conversion.Report report =
                Conversion.write(
                        model.name(), out.folder(), type.stored, model.weightMap(), out.replaces());
        cyclane.out()
                .append(
                        String.format(
                                Locale.ROOT,
                                "%s: %,d tensors, %,d bytes%s (were %,d)%s\n",
                                out.folder(),
                                report.tensors(),
                                report.bytesAfter(),
                                report.kept().isEmpty() ? " as " + type : "",
                                report.bytesBefore(),
                                kept(report)));
        cyclane.flush();
        return 0;
    }

    /** A type is claimed for those that have it: integers are not converted. */
    private String kept(Conversion.Report report) {
        if (report.kept().isEmpty()) {
            return "";
        }
        int floats = report.tensors();
        StringBuilder others = new StringBuilder();
        for (Map.Entry<StoredType, Integer> kept : report.kept().entrySet()) {
            floats -= kept.getValue();
            others.append(", ").append(kept.getValue()).append(" left as ");
            others.append(kept.getKey().name().toLowerCase(Locale.ROOT));
        }
        return ": %d as %s%s".formatted(floats, type, others);
    }
}
