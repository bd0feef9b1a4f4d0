package io.cyclane.model.merge;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.ejml.data.DMatrixRMaj;
import org.ejml.dense.row.CommonOps_DDRM;
import org.ejml.dense.row.NormOps_DDRM;
import org.ejml.dense.row.RandomMatrices_DDRM;
import org.ejml.dense.row.SingularOps_DDRM;
import org.ejml.dense.row.factory.DecompositionFactory_DDRM;
import org.ejml.interfaces.decomposition.SingularValueDecomposition_F64;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LowRankFactorsTest {
    private static List<LowRankFactors> experts(int count, int out, int rank, int in) {
        Random random = new Random(11);
        return IntStream.range(0, count)
                .mapToObj(_ ->
                        new LowRankFactors(
                                RandomMatrices_DDRM.rectangle(out, rank, -1, 1, random),
                                RandomMatrices_DDRM.rectangle(rank, in, -1, 1, random)))
                .toList();
    }

    /** A share of 1 for one expert is that expert. */
    @Test
    void oneHotSharesGiveTheExpert() {
        List<LowRankFactors> experts = experts(4, 7, 2, 5);
        double[] third = {0, 0, 1, 0};
        double[] wanted = experts.get(2).product().data;
        assertArrayEquals(wanted, LowRankFactors.meanOfFactors(experts, third).product().data);
        LowRankFactors stacked = LowRankFactors.meanOfProducts(experts, third);
        assertEquals(8, stacked.rank());
        assertArrayEquals(wanted, stacked.product().data, 1e-15);
        assertArrayEquals(wanted, stacked.truncated(2).product().data, 1e-12);
    }

    @Test
    void updatesOfZeroStayZero() {
        List<LowRankFactors> zero =
                List.of(new LowRankFactors(new DMatrixRMaj(6, 2), experts(1, 6, 2, 9).get(0).a()));
        LowRankFactors truncated =
                LowRankFactors.meanOfProducts(zero, new double[] {1}).truncated(1);
        assertArrayEquals(new double[6 * 9], truncated.product().data);
    }

    @Test
    void theMeanOfProductsIsOneAndThatOfFactorsIsNot() {
        List<LowRankFactors> experts = experts(3, 6, 2, 9);
        double[] shares = {0.5, 0.2, 0.3};
        DMatrixRMaj mean = new DMatrixRMaj(6, 9);
        for (int i = 0; i < 3; i++) {
            CommonOps_DDRM.addEquals(mean, shares[i], experts.get(i).product());
        }
        double[] products = LowRankFactors.meanOfProducts(experts, shares).product().data;
        assertArrayEquals(mean.data, products, 1e-14);
        DMatrixRMaj factors = LowRankFactors.meanOfFactors(experts, shares).product();
        CommonOps_DDRM.subtractEquals(factors, mean);
        assertTrue(NormOps_DDRM.normF(factors) > 0.1);
    }

    /** By Eckart and Young: what is lost is the root of the dropped singular values' squares. */
    @ParameterizedTest
    @CsvSource({"12, 20, 5", "3, 20, 2", "20, 4, 3", "12, 20, 8", "12, 20, 1"})
    void noFactorsOfTheRankAreNearer(int out, int in, int rank) {
        LowRankFactors whole =
                LowRankFactors.meanOfProducts(experts(4, out, 2, in), new double[] {1, 1, 1, 1});
        DMatrixRMaj product = whole.product();
        SingularValueDecomposition_F64<DMatrixRMaj> svd =
                DecompositionFactory_DDRM.svd(out, in, true, true, true);
        assertTrue(svd.decompose(product.copy()));
        double[] values = svd.getSingularValues();
        SingularOps_DDRM.descendingOrder(
                svd.getU(null, false), false, values, values.length, null, false);
        double lost = 0;
        for (int i = rank; i < values.length; i++) {
            lost += values[i] * values[i];
        }
        LowRankFactors truncated = whole.truncated(rank);
        assertEquals(rank, truncated.rank());
        DMatrixRMaj error = truncated.product();
        CommonOps_DDRM.subtractEquals(error, product);
        assertEquals(Math.sqrt(lost), NormOps_DDRM.normF(error), 1e-10);
    }
}
