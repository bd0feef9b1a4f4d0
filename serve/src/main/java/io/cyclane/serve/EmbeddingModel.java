package io.cyclane.serve;

import io.cyclane.model.Embeddings;
import io.cyclane.model.ModelInfo;
import java.util.List;

/** An open model as the commands see it: texts in, vectors out. Closed by whoever opened it. */
public interface EmbeddingModel extends AutoCloseable {
    /** {@return the vectors of some texts, in their order; any number of texts, empty ones too} */
    Embeddings embed(List<String> texts);

    /** {@return what the model is} */
    ModelInfo info();

    @Override
    void close();
}
