package io.cyclane.serve;

import io.cyclane.model.Capacity;
import io.cyclane.model.Embeddings;
import io.cyclane.model.Encoder;
import io.cyclane.model.LongTexts;
import io.cyclane.model.ModelInfo;
import io.cyclane.model.PlanReport;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/** Models by alias or folder, on the backend that the settings name. */
public final class Models implements ModelSource {
    /** A source of real models. */
    public Models() {}

    @Override
    public EmbeddingModel open(
            String name,
            OptionalInt maxTokens,
            Optional<LongTexts> longTexts,
            Optional<Path> weightMap) {
        Encoder.Builder builder = Encoder.builder(name);
        maxTokens.ifPresent(builder::maxTokens);
        longTexts.ifPresent(builder::longTexts);
        weightMap.ifPresent(builder::weightMap);
        return new Open(builder.load());
    }

    @Override
    public PlanReport plan(String name, Capacity capacity) {
        return Encoder.plan(name, capacity);
    }

    /** The library's facade as the commands see it. */
    private record Open(Encoder encoder) implements EmbeddingModel {
        @Override
        public Embeddings embed(List<String> texts) {
            return encoder.run(texts);
        }

        @Override
        public ModelInfo info() {
            return encoder.info();
        }

        @Override
        public void close() {
            encoder.close();
        }
    }
}
