# SPDX-License-Identifier: BSD-3-Clause
#
# What a frame of 25 fibres x 2326 bins costs through the Julia package, over the same
# call of C into arrays that the package made. Both in turns; the fastest of each counts.
#
#   julia bench/bindings/overhead.jl PSF PREPROC [TURNS]
using LibSpecex
using LibSpecex: c_struct, empty_frame, specex_extract_frame

const turns = length(ARGS) > 2 ? parse(Int, ARGS[3]) : 15
const fibers = 0:24
const grid = Grid(5760.0, 7620.0, 0.8)
const context = Context(num_threads = 1)
set_psf!(context, read_psf(context, ARGS[1]))
const image = Image(read_image(context, ARGS[2]))

through_package() = extract_frame(context, image, grid, fibers)

function through_c()
    frame = empty_frame(context, grid, fibers, 0, 0, true, false)
    view, image_view, grid_view = Ref(c_struct(frame)), Ref(c_struct(image)), Ref(grid)
    GC.@preserve frame image begin
        seconds = @elapsed specex_extract_frame(context, image_view, grid_view, Int32(0),
                                                Int32(length(fibers)), view)
    end
    return seconds
end

through_package(), through_c()  # all is compiled then
package, c = Float64[], Float64[]
for _ in 1:turns
    GC.gc()
    push!(package, @elapsed through_package())
    GC.gc()
    push!(c, through_c())
end
milliseconds(seconds) = round(1e3 * minimum(seconds); digits = 2)
println("C $(milliseconds(c)) ms, package $(milliseconds(package)) ms: ",
        round(100 * (minimum(package) / minimum(c) - 1); digits = 2), " % more")
