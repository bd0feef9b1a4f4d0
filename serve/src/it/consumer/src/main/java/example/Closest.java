package example;

import io.cyclane.model.Encoder;
import java.util.List;

public final class Closest {
    public static void main(String[] arguments) {
        try (Encoder encoder = Encoder.load("minilm")) {
            float[] query = encoder.embed("a cat on a rug");
            List<String> texts = List.of("the feline lies on the carpet", "interest rates rose again");
            float[][] vectors = encoder.embed(texts);
            for (int i = 0; i < vectors.length; i++) {
                double cosine = 0;
                for (int j = 0; j < query.length; j++) {
                    cosine += query[j] * vectors[i][j];
                }
                System.out.printf("%.3f  %s%n", cosine, texts.get(i));
            }
        }
    }
}
