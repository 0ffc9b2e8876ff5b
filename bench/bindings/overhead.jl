# SPDX-License-Identifier: BSD-3-Clause
#
# What a frame of 25 fibres x 2326 bins costs through the Julia package, over the same
# call of C into arrays that the package made.
#
#   julia bench/bindings/overhead.jl PSF PREPROC [PAIRS]
#
# Pairs of the two, by turns one and the other first, in time of the processor: what else
# the machine does hits both alike. The ratio is the median over the pairs, with an interval
# from their ranks, which asks nothing of how the noise is distributed.
using LibSpecex
using LibSpecex: c_struct, check, empty_frame, specex_extract_frame
using Printf: @printf
using Statistics: median

const pairs = length(ARGS) > 2 ? parse(Int, ARGS[3]) : 400
const fibers = 0:24
const grid = Grid(5760.0, 7620.0, 0.8)
const context = Context(num_threads = 1)
set_psf!(context, read_psf(context, ARGS[1]))
const image = Image(read_image(context, ARGS[2]))

process_time() = ccall(:clock, Clong, ()) / 1e6  # CLOCKS_PER_SEC of POSIX

function through_package()
    start = process_time()
    extract_frame(context, image, grid, fibers)
    return process_time() - start
end

function through_c()
    frame = empty_frame(context, grid, fibers, 0, 0, true, false)
    view, image_view, grid_view = Ref(c_struct(frame)), Ref(c_struct(image)), Ref(grid)
    GC.@preserve frame image begin
        start = process_time()
        status = specex_extract_frame(context, image_view, grid_view, Int32(0),
                                      Int32(length(fibers)), view)
        took = process_time() - start
    end
    check(status)
    return took
end

function seconds(call)
    GC.gc()  # memory is given back by either before the clock starts
    return call()
end

# Where the median of what the values are drawn from is, with 95 % confidence.
function interval(values)
    count, reach = length(values), 0.98 * sqrt(length(values))
    first, last = floor(Int, count / 2 - reach), ceil(Int, count / 2 + reach) + 1
    return sort(values)[[max(first, 1), min(last, count)]]
end

through_package(), through_c()  # all is compiled then
const c, package = Float64[], Float64[]
for pair in 1:pairs
    order = [(through_c, c), (through_package, package)]
    for (call, times) in (isodd(pair) ? order : reverse(order))
        push!(times, seconds(call))
    end
end
const more = 100 .* (package ./ c .- 1)
@printf("C %.1f ms, package %.1f ms, %d pairs: %+.2f %% (%+.2f to %+.2f %%)\n",
        1e3 * median(c), 1e3 * median(package), pairs, median(more), interval(more)...)
