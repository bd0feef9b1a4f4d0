package io.cyclane.model.merge;

import java.util.ArrayList;
import java.util.List;
import org.ejml.data.DMatrixRMaj;
import org.ejml.dense.row.CommonOps_DDRM;
import org.ejml.dense.row.NormOps_DDRM;
import org.ejml.dense.row.SingularOps_DDRM;
import org.ejml.dense.row.factory.DecompositionFactory_DDRM;
import org.ejml.interfaces.decomposition.QRDecomposition;
import org.ejml.interfaces.decomposition.SingularValueDecomposition_F64;

/**
 * An update of a weight as a product of two thin matrices, {@code b . a}, in doubles.
 *
 * @param b [out, R]
 * @param a [R, in]
 */
public record LowRankFactors(DMatrixRMaj b, DMatrixRMaj a) {
    /** {@return R} */
    public int rank() {
        return a.numRows;
    }

    /** {@return factors out of row-major floats} */
    public static LowRankFactors of(float[] b, float[] a, int rank) {
        return new LowRankFactors(
                matrix(b, b.length / rank, rank), matrix(a, rank, a.length / rank));
    }

    private static DMatrixRMaj matrix(float[] floats, int rows, int columns) {
        DMatrixRMaj matrix = new DMatrixRMaj(rows, columns);
        for (int i = 0; i < floats.length; i++) {
            matrix.data[i] = floats[i];
        }
        return matrix;
    }

    /** {@return the factors that are the weighted means of these; cross terms come along} */
    public static LowRankFactors meanOfFactors(List<LowRankFactors> each, double[] weights) {
        LowRankFactors first = each.getFirst();
        DMatrixRMaj b = new DMatrixRMaj(first.b.numRows, first.b.numCols);
        DMatrixRMaj a = new DMatrixRMaj(first.a.numRows, first.a.numCols);
        for (int i = 0; i < weights.length; i++) {
            CommonOps_DDRM.addEquals(b, weights[i], each.get(i).b);
            CommonOps_DDRM.addEquals(a, weights[i], each.get(i).a);
        }
        return new LowRankFactors(b, a);
    }

    /**
     * {@return factors whose product is the weighted mean of these products} Their rank is the sum
     * of all ranks.
     */
    public static LowRankFactors meanOfProducts(List<LowRankFactors> each, double[] weights) {
        List<DMatrixRMaj> right = new ArrayList<>();
        List<DMatrixRMaj> left = new ArrayList<>();
        for (int i = 0; i < weights.length; i++) {
            DMatrixRMaj scaled = each.get(i).b.copy();
            CommonOps_DDRM.scale(weights[i], scaled);
            left.add(scaled);
            right.add(each.get(i).a);
        }
        return new LowRankFactors(
                CommonOps_DDRM.concatColumnsMulti(left.toArray(DMatrixRMaj[]::new)),
                CommonOps_DDRM.concatRowsMulti(right.toArray(DMatrixRMaj[]::new)));
    }

    /** {@return the whole update, [out, in]} */
    public DMatrixRMaj product() {
        DMatrixRMaj product = new DMatrixRMaj(b.numRows, a.numCols);
        CommonOps_DDRM.mult(b, a, product);
        return product;
    }

    /**
     * {@return the factors of a smaller rank whose product is nearest to this one's in the sum of
     * squares} The singular values are dealt to both factors alike.
     *
     * <p>The update itself is never made: with {@code b = Qb Rb} and {@code a^T = Qa Ra} its
     * singular values are those of the small {@code Rb Ra^T}.
     */
    public LowRankFactors truncated(int newRank) {
        Qr left = Qr.of(b);
        Qr right = Qr.of(CommonOps_DDRM.transpose(a, null));
        DMatrixRMaj core = new DMatrixRMaj(left.r.numRows, right.r.numRows);
        CommonOps_DDRM.multTransB(left.r, right.r, core);
        SingularValueDecomposition_F64<DMatrixRMaj> svd =
                DecompositionFactory_DDRM.svd(core.numRows, core.numCols, true, true, true);
        if (!svd.decompose(core)) {
            throw new ArithmeticException("the singular values of an update do not converge");
        }
        DMatrixRMaj u = svd.getU(null, false);
        DMatrixRMaj w = svd.getW(null);
        DMatrixRMaj v = svd.getV(null, false);
        SingularOps_DDRM.descendingOrder(u, false, w, v, false);
        int kept = Math.min(newRank, Math.min(w.numRows, w.numCols));
        DMatrixRMaj leftPart = new DMatrixRMaj(u.numRows, newRank);
        DMatrixRMaj rightPart = new DMatrixRMaj(v.numRows, newRank);
        for (int j = 0; j < kept; j++) {
            double root = Math.sqrt(w.get(j, j));
            for (int i = 0; i < u.numRows; i++) {
                leftPart.set(i, j, root * u.get(i, j));
            }
            for (int i = 0; i < v.numRows; i++) {
                rightPart.set(i, j, root * v.get(i, j));
            }
        }
        DMatrixRMaj newB = new DMatrixRMaj(b.numRows, newRank);
        DMatrixRMaj newA = new DMatrixRMaj(newRank, a.numCols);
        CommonOps_DDRM.mult(left.q, leftPart, newB);
        CommonOps_DDRM.multTransAB(rightPart, right.q, newA);
        return new LowRankFactors(newB, newA);
    }

    /** A matrix as {@code q . r}, q with orthonormal columns. */
    private record Qr(DMatrixRMaj q, DMatrixRMaj r) {
        private static final double ROUNDING = 1e-10;

        static Qr of(DMatrixRMaj matrix) {
            QRDecomposition<DMatrixRMaj> qr =
                    DecompositionFactory_DDRM.qr(matrix.numRows, matrix.numCols);
            // What it returns is whether no column was zero; factors that start at zero are fine.
            qr.decompose(matrix.copy());
            Qr parts = new Qr(qr.getQ(null, true), qr.getR(null, true));
            DMatrixRMaj error = new DMatrixRMaj(matrix.numRows, matrix.numCols);
            CommonOps_DDRM.mult(parts.q, parts.r, error);
            CommonOps_DDRM.subtractEquals(error, matrix);
            if (!(NormOps_DDRM.normF(error) <= ROUNDING * NormOps_DDRM.normF(matrix))) {
                throw new ArithmeticException("an update can not be decomposed");
            }
            return parts;
        }
    }
}
