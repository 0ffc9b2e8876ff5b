# SPDX-License-Identifier: BSD-3-Clause
#
# Contexts that nobody refers to any more are freed, be it by close or by the collector.

resident() = parse(Int, split(read("/proc/self/statm", String))[2]) * 4096

# Small, and with one thread, so that it is the loop that is measured.
function rounds(n; closing)
    psf = small_psf()
    for k in 1:n
        context = set_psf!(Context(num_threads = 1, bundlesize = 3), psf)
        extract_frame(context, image, Grid(6000.0, 6004.0, 1.0), 0:0)
        closing && close(context)
        # Often and in full: how many contexts wait, each with the memory that its thread
        # works in, is not to be chance.
        k % 10 == 0 && GC.gc()
    end
end

@testset "memory" begin
    if isfile("/proc/self/statm")
        for closing in (true, false)
            rounds(300; closing = closing)
            before = resident()
            rounds(1000; closing = closing)
            @test resident() - before < 8 * 2^20
        end
    else
        @test_skip "no /proc: resident memory is not known"
    end
end
