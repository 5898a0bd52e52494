//! The question that nearly all batches answer with yes: is every value where it should be?
//!
//! Compilers do not find vector instructions for it by themselves in WebAssembly, so they are named
//! here; a guest that is built without them, and a native test, take the plain way.

/// Values, or quality bytes, that are looked at between two branches.
const BLOCK: usize = 16;

/// The bits of a quality byte of which one is set unless it is bad (below 64), in eight bytes.
const NOT_BAD: u64 = 0xc0c0_c0c0_c0c0_c0c0;

/// The lowest bit of eight bytes.
const LOWEST: u64 = 0x0101_0101_0101_0101;

/// Whether every value is between the two, which belong to it; a NaN is not.
pub(super) fn are_between(values: &[f64], low: f64, high: f64) -> bool {
    let (blocks, rest) = values.as_chunks::<BLOCK>();
    is_each_block_between(blocks, low, high)
        && rest.iter().all(|value| *value >= low && *value <= high)
}

/// Whether no quality byte is bad.
pub(super) fn is_none_bad(qualities: &[u8]) -> bool {
    let (blocks, rest) = qualities.as_chunks::<8>();
    blocks.iter().all(|block| {
        let upper = u64::from_le_bytes(*block) & NOT_BAD;
        ((upper >> 7) | (upper >> 6)) & LOWEST == LOWEST
    }) && rest.iter().all(|quality| *quality >= 64)
}

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
fn is_each_block_between(blocks: &[[f64; BLOCK]], low: f64, high: f64) -> bool {
    use core::arch::wasm32::{
        f64x2, f64x2_ge, f64x2_le, f64x2_splat, i64x2_all_true, u64x2_splat, v128_and,
    };

    let (low, high) = (f64x2_splat(low), f64x2_splat(high));
    blocks.iter().all(|block| {
        let (pairs, _none) = block.as_chunks::<2>();
        let between = pairs
            .iter()
            .fold(u64x2_splat(u64::MAX), |between, [one, two]| {
                let pair = f64x2(*one, *two);
                let inside = v128_and(f64x2_ge(pair, low), f64x2_le(pair, high));
                v128_and(between, inside)
            });
        i64x2_all_true(between)
    })
}

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
fn is_each_block_between(blocks: &[[f64; BLOCK]], low: f64, high: f64) -> bool {
    blocks.iter().all(|block| {
        let between = |value: &f64| (*value >= low) & (*value <= high);
        block.iter().fold(true, |all, value| all & between(value))
    })
}

#[cfg(test)]
mod tests {
    use super::{are_between, is_none_bad};

    #[test]
    fn one_value_outside_is_found_at_every_place() {
        for length in 0..70 {
            let mut values = vec![1.0; length];
            assert!(are_between(&values, 1.0, 1.0));
            for place in 0..length {
                for outside in [0.9, 1.1, f64::NAN, f64::INFINITY] {
                    values[place] = outside;
                    assert!(!are_between(&values, 1.0, 1.0), "{outside} at {place}");
                }
                values[place] = 1.0;
            }
        }
    }

    #[test]
    fn one_bad_quality_is_found_at_every_place() {
        for length in 0..40 {
            let mut qualities = vec![64; length];
            for place in 0..length {
                for quality in 0..=u8::MAX {
                    qualities[place] = quality;
                    assert_eq!(is_none_bad(&qualities), quality >= 64, "{quality}");
                }
                qualities[place] = 192;
            }
        }
    }
}
