package io.cyclane.tensor.reference;

import io.cyclane.tensor.backend.InputException;
import io.cyclane.tensor.host.Count;
import io.cyclane.tensor.host.Kernel;
import io.cyclane.tensor.host.Operands;
import io.cyclane.tensor.op.ExpertMatMul;

/**
 * {@code y[t, j, o] = scale * sum over i of weight[experts[t, j], o, i] * x[t, i] [+ base[t, o]]}.
 */
final class ExpertMatMulReference {
    private ExpertMatMulReference() {}

    static Kernel of(ExpertMatMul op, Operands operands) {
        Values x = new Values(operands.input(0), operands.inputType(0).dtype());
        Values experts = new Values(operands.input(1), operands.inputType(1).dtype());
        Values weight = new Values(operands.input(2), operands.inputType(2).dtype());
        int last = operands.inputTypes().size() - 1;
        Values base = new Values(operands.input(last), operands.inputType(last).dtype());
        Values y = new Values(operands.result(), operands.resultType(0).dtype());
        Count choices = operands.elements(operands.inputType(1));
        int count = operands.inputType(2).shape().extent(0).bound();
        int inputs = operands.inputType(0).shape().last();
        int outputs = operands.resultType(0).shape().last();
        int perRow = operands.inputType(1).shape().last();
        boolean isShared = ExpertMatMul.isShared(operands.inputType(0), operands.inputType(1));
        return () -> {
            int n = choices.value();
            for (int choice = 0; choice < n; choice++) {
                int expert = experts.integer(choice);
                if (expert < 0 || expert >= count) {
                    throw InputException.rowOutside("expert", expert, choice, count);
                }
                long from = (long) (isShared ? choice / perRow : choice) * inputs;
                for (int o = 0; o < outputs; o++) {
                    double sum = 0;
                    for (int i = 0; i < inputs; i++) {
                        sum +=
                                weight.get(((long) expert * outputs + o) * inputs + i)
                                        * x.get(from + i);
                    }
                    double added = op.base() ? base.get((long) choice / perRow * outputs + o) : 0;
                    y.set((long) choice * outputs + o, op.scale() * sum + added);
                }
            }
        };
    }
}
