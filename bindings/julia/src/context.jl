# SPDX-License-Identifier: BSD-3-Clause

"""
    Context(; log = nothing, progress = nothing, options...)

What a program extracts with: a PSF, options and threads. `options` are the fields of
`specex_options`, for example `num_threads = 4` or `backend = SPECEX_BACKEND_REFERENCE`;
see [`set_log!`](@ref) and [`set_progress!`](@ref) for the callbacks. One task at a time
may use a context. It is freed with the last reference to it, or at once by `close`.
"""
mutable struct Context
    handle::Ptr{Cvoid}
    log::Any
    progress::Any
    failure::Any  # the exception that a callback threw

    function Context(; log = nothing, progress = nothing, options...)
        chosen = Ref(filled(specex_options))
        check(specex_options_init(chosen, sizeof(specex_options)))
        unknown = setdiff(keys(options), fieldnames(specex_options))
        isempty(unknown) || throw(ArgumentError("no such option: $(join(unknown, ", "))"))
        chosen[] = changed(chosen[]; options...)
        handle = Ref{Ptr{Cvoid}}(C_NULL)
        check(specex_create(chosen, handle))
        context = new(handle[], nothing, nothing, nothing)
        finalizer(specex_destroy, context)
        set_log!(context, log)
        set_progress!(context, progress)
        return context
    end
end

Base.unsafe_convert(::Type{Ptr{Cvoid}}, context::Context) = context.handle

"""
    close(context)

Frees what the context holds; from then on every call with it is an error.
"""
function Base.close(context::Context)
    check(specex_destroy(context))
    context.handle = C_NULL
    return nothing
end

# Every call with a context goes through here. Callbacks run inside of it, on the thread
# that made the call; should one of them let other tasks run, ours must come back to this
# very thread, in the middle of whose C stack it is.
function call(f, context::Context, arguments...)
    task = current_task()
    sticky = task.sticky
    task.sticky = true
    status = try
        GC.@preserve context f(context, arguments...)
    finally
        task.sticky = sticky
    end
    if status != SPECEX_ERROR_BUSY && context.failure !== nothing
        exception = context.failure
        context.failure = nothing
        throw(exception)
    end
    return check(status, context)
end

# No exception may unwind the library's frames: it waits in the context for their return.
function shielded(body, context::Context, otherwise)
    try
        return body()
    catch exception
        context.failure = exception
        return otherwise
    end
end

function on_log(level::Int32, message::Cstring, user::Ptr{Cvoid})::Cvoid
    context = unsafe_pointer_to_objref(user)::Context
    shielded(context, nothing) do
        context.log(level, unsafe_string(message))
        nothing
    end
end

function on_progress(done::Int64, total::Int64, user::Ptr{Cvoid})::Int32
    context = unsafe_pointer_to_objref(user)::Context
    shielded(context, Int32(1)) do
        context.progress(done, total) === false ? Int32(1) : Int32(0)
    end
end

"""
    set_log!(context, callback)

Calls `callback(level, message)` with what the library has to say (`SPECEX_LOG_...`), on
the thread that called the library; `nothing` ends that.
"""
function set_log!(context::Context, callback)
    pointer = callback === nothing ? C_NULL :
              @cfunction(on_log, Cvoid, (Int32, Cstring, Ptr{Cvoid}))
    call(specex_set_log, context, pointer, pointer_from_objref(context))
    context.log = callback
    return context
end

"""
    set_progress!(context, callback)

Calls `callback(done, total)` once a patch, on the thread that called the library, however
many threads it has; `nothing` ends that. Where it returns `false`, or throws, the call
stops and throws `SPECEX_CANCELLED`, or that exception.
"""
function set_progress!(context::Context, callback)
    pointer = callback === nothing ? C_NULL :
              @cfunction(on_progress, Int32, (Int64, Int64, Ptr{Cvoid}))
    call(specex_set_progress, context, pointer, pointer_from_objref(context))
    context.progress = callback
    return context
end

"""
    describe(context)

What the context runs on, in a line of text.
"""
describe(context::Context) = text(buffer -> call(specex_describe, context, buffer, 256))

# The text that a function writes into a buffer of 256 bytes.
function text(write)
    buffer = zeros(UInt8, 256)
    write(buffer)
    return GC.@preserve buffer unsafe_string(pointer(buffer))
end

"""
    stage_seconds(context)

The seconds that each stage of the last extraction took, summed over threads, as a vector
of `name => seconds`.
"""
function stage_seconds(context::Context)
    seconds = zeros(SPECEX_NSTAGE)
    call(specex_stage_seconds, context, seconds, length(seconds))
    return [stage_name(k - 1) => seconds[k] for k in eachindex(seconds)]
end

stage_name(stage) = unsafe_string(specex_stage_name(stage))
