# SPDX-License-Identifier: BSD-3-Clause
#
# Callbacks run on the thread that called, whatever threads the library has, and may do
# what Julia code does: allocate, collect garbage, switch tasks, throw.

struct Unlucky <: Exception end

@testset "progress" begin
    for num_threads in (1, 4), round in 1:3
        seen = Tuple{Int, Int}[]
        thread = Threads.threadid()
        function note(done, total)
            push!(seen, (done, total))
            @assert Threads.threadid() == thread
            GC.gc(done == 1)
            yield()
        end
        context = small_context(num_threads = num_threads, progress = note)
        frame = extract_frame(context, image, grid, fibers)
        @test seen == [(done, frame.npatch) for done in 0:frame.npatch]

        set_progress!(context, (done, total) -> done < 2)
        test_error(SPECEX_CANCELLED, "stopped") do
            extract_frame(context, image, grid, fibers)
        end
        set_progress!(context, (done, total) -> throw(Unlucky()))
        @test_throws Unlucky extract_frame(context, image, grid, fibers)
        @test_throws Unlucky project(context, grid, fibers, truth, nx, ny)
        test_error(SPECEX_ERROR_BUSY, "thread") do
            set_progress!(context, (done, total) -> describe(context))
            extract_frame(context, image, grid, fibers)
        end
        set_progress!(context, nothing)
        @test same_arrays(extract_frame(context, image, grid, fibers), frame)
    end
end

@testset "log" begin
    lines = Tuple{Int, String}[]
    context = small_context(backend = SPECEX_BACKEND_CPU,  # auto may tell of a GPU
                            log = (level, message) -> push!(lines, (level, message)))
    strange = copy(pixels)
    strange[20, 40] = NaN
    broken = Image(strange, image.ivar)
    extract_frame(context, broken, grid, fibers)
    @test length(lines) == 1
    @test lines[1][1] == SPECEX_LOG_WARNING && occursin("pixel", lines[1][2])
    set_log!(context, (level, message) -> throw(Unlucky()))
    @test_throws Unlucky extract_frame(context, broken, grid, fibers)
    set_log!(context, nothing)
    @test extract_frame(context, broken, grid, fibers).nbadpixel == 1
end

@testset "a context in each task" begin
    expected = extract_frame(small_context(), image, grid, fibers)
    tasks = [Threads.@spawn extract_frame(small_context(num_threads = 2), image, grid,
                                          fibers) for _ in 1:8]
    @test all(task -> same_arrays(fetch(task), expected), tasks)
end
