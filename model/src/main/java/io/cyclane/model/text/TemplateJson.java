package io.cyclane.model.text;

import java.util.ArrayList;
import java.util.List;

/** Reads the {@code post_processor} of a {@code tokenizer.json}. */
final class TemplateJson {
    private static final String KNOWN = "TemplateProcessing, BertProcessing, RobertaProcessing";

    private TemplateJson() {}

    static Template read(Json json) {
        if (json.isNull()) {
            return Template.BARE;
        }
        return switch (TokenizerJson.type(json)) {
            case "TemplateProcessing" ->
                    new Template(parts(json, "single", 1), parts(json, "pair", 2));
            case "BertProcessing" -> Template.bert(idOf(json.get("cls")), idOf(json.get("sep")));
            case "RobertaProcessing" ->
                    Template.roberta(idOf(json.get("cls")), idOf(json.get("sep")));
            default ->
                    throw TokenizerJson.unknown(
                            json, "post-processor", TokenizerJson.type(json), KNOWN);
        };
    }

    /** {@return the id of a token written as [token, id]}. */
    private static int idOf(Json json) {
        List<Json> pair = json.elements();
        if (pair.size() != 2) {
            throw json.wanted("a token and its id");
        }
        return pair.get(1).count();
    }

    private static List<Template.Part> parts(Json template, String name, int texts) {
        List<Template.Part> parts = new ArrayList<>();
        int firsts = 0;
        int seconds = 0;
        for (Json part : template.get(name).elements()) {
            if (part.has("Sequence")) {
                Json sequence = part.get("Sequence");
                boolean isSecond =
                        switch (sequence.get("id").string()) {
                            case "A" -> false;
                            case "B" -> true;
                            default -> throw sequence.get("id").wanted("A or B");
                        };
                parts.add(new Template.Content(isSecond, sequence.get("type_id").count()));
                firsts += isSecond ? 0 : 1;
                seconds += isSecond ? 1 : 0;
            } else if (part.has("SpecialToken")) {
                Json special = part.get("SpecialToken");
                Json token = template.get("special_tokens").get(special.get("id").string());
                for (Json id : token.get("ids").elements()) {
                    parts.add(new Template.Special(id.count(), special.get("type_id").count()));
                }
            } else {
                throw part.wanted("a Sequence or a SpecialToken");
            }
        }
        if (firsts != 1 || seconds != texts - 1) {
            throw template.get(name).wanted(texts == 1 ? "A once" : "A and B once each");
        }
        return parts;
    }
}
