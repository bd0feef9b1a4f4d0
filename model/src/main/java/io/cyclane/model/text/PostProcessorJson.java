package io.cyclane.model.text;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Reads the {@code post_processor} of a {@code tokenizer.json}. */
final class PostProcessorJson {
    private static final String KNOWN =
            "BertProcessing, ByteLevel, RobertaProcessing, Sequence, TemplateProcessing";

    private PostProcessorJson() {}

    /** {@return what a processor, or one of a sequence of them, puts around texts}. */
    static Template template(Json json) {
        List<Template> templates = new ArrayList<>();
        for (Json processor : flattened(json)) {
            switch (TokenizerJson.type(processor)) {
                case "TemplateProcessing" ->
                        templates.add(
                                new Template(
                                        parts(processor, "single", 1),
                                        parts(processor, "pair", 2)));
                case "BertProcessing" ->
                        templates.add(
                                Template.bert(
                                        special(processor.get("cls")),
                                        special(processor.get("sep"))));
                case "RobertaProcessing" ->
                        templates.add(
                                Template.roberta(
                                        special(processor.get("cls")),
                                        special(processor.get("sep"))));
                case "ByteLevel" -> {}
                default ->
                        throw TokenizerJson.unknown(
                                processor, "post-processor", TokenizerJson.type(processor), KNOWN);
            }
        }
        if (templates.size() > 1) {
            throw json.wanted("at most one post-processor that adds tokens");
        }
        return templates.isEmpty() ? Template.BARE : templates.get(0);
    }

    /** {@return how a processor trims places}, or null if none does. */
    static @Nullable OffsetTrim trim(Json json) {
        for (Json processor : flattened(json)) {
            String type = TokenizerJson.type(processor);
            boolean isByteLevel = type.equals("ByteLevel") || type.equals("RobertaProcessing");
            if (isByteLevel && processor.get("trim_offsets").flag(true)) {
                return new OffsetTrim(processor.get("add_prefix_space").flag(true));
            }
        }
        return null;
    }

    private static List<Json> flattened(Json json) {
        if (json.isNull()) {
            return List.of();
        } else if (!TokenizerJson.type(json).equals("Sequence")) {
            return List.of(json);
        }
        List<Json> all = new ArrayList<>();
        for (Json processor : json.get("processors").elements()) {
            all.addAll(flattened(processor));
        }
        return all;
    }

    /** {@return a token written as [token, id]}, of type 0. */
    private static Template.Special special(Json json) {
        List<Json> pair = json.elements();
        if (pair.size() != 2) {
            throw json.wanted("a token and its id");
        }
        return new Template.Special(pair.get(0).string(), pair.get(1).count(), 0);
    }

    private static List<Template.Part> parts(Json template, String name, int texts) {
        List<Template.Part> parts = new ArrayList<>();
        int firsts = 0;
        int seconds = 0;
        for (Json part : template.get(name).elements()) {
            if (part.has("Sequence")) {
                Template.Content content = content(part.get("Sequence"));
                parts.add(content);
                firsts += content.isSecond() ? 0 : 1;
                seconds += content.isSecond() ? 1 : 0;
            } else {
                Json special = part.get("SpecialToken");
                String token = special.get("id").string();
                int type = special.get("type_id").count();
                for (Json id : template.get("special_tokens").get(token).get("ids").elements()) {
                    parts.add(new Template.Special(token, id.count(), type));
                }
            }
        }
        if (firsts != 1 || seconds != texts - 1) {
            throw template.get(name).wanted(texts == 1 ? "A once" : "A and B once each");
        }
        return parts;
    }

    private static Template.Content content(Json sequence) {
        Json id = sequence.get("id");
        boolean isSecond =
                switch (id.string()) {
                    case "A" -> false;
                    case "B" -> true;
                    default -> throw id.wanted("A or B");
                };
        return new Template.Content(isSecond, sequence.get("type_id").count());
    }
}
