//! What a run may use.

/// Bounds of one run. Reaching one is an error that no template can catch.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Most bytes of output and of strings made on the way, together.
    pub output: usize,
    /// Most steps: nodes executed, elements visited, and a share of the bytes that functions work through.
    pub steps: u64,
    /// Deepest nesting of `template`, `include` and `tpl`. Helm's own bound for one recursive name is 1000.
    pub depth: usize,
    /// Most bytes of the thread's stack that a run may use. Nesting that would need more is an error like
    /// [`Limits::depth`]. Helm's full depth needs about 8 MiB in a release build.
    pub stack: usize,
}

impl Default for Limits {
    /// 256 MiB, 200 million steps, 5000 levels, 1 MiB of stack: fits any thread.
    fn default() -> Self {
        Self {
            output: 256 << 20,
            steps: 200_000_000,
            depth: 5_000,
            stack: 1 << 20,
        }
    }
}
