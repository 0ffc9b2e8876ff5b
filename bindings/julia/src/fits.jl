# SPDX-License-Identifier: BSD-3-Clause

# What a function of the library reads, as a FitsFile.
function open_file(read, context, arguments...)
    handle = Ref{Ptr{Cvoid}}(C_NULL)
    call(read, context, arguments..., handle)
    return FitsFile(handle[])
end

"""
    read_image(context, path; badmask = SPECEX_BADMASK_DEFAULT)

Reads a preproc file; pixels with a bit of `badmask` in their MASK get ivar 0.
"""
read_image(context::Context, path; badmask = SPECEX_BADMASK_DEFAULT) =
    open_file(specex_fits_read_image, context, path, badmask)

"""
    read_psf(context, path)

Reads a PSF file.
"""
read_psf(context::Context, path) = open_file(specex_fits_read_psf, context, path)

"""
    read_frame(context, path)

Reads a frame or truth file.
"""
read_frame(context::Context, path) = open_file(specex_fits_read_frame, context, path)

"""
    read_fibermap(context, path)

Reads the FIBERMAP of any file, to be written with a frame or image.
"""
read_fibermap(context::Context, path) =
    open_file(specex_fits_read_fibermap, context, path)

Base.getindex(file::FitsFile, key::AbstractString) =
    text(buffer -> check(specex_fits_get_key(file, key, buffer, length(buffer))))

card_type(::Bool) = SPECEX_CARD_LOGICAL
card_type(::Integer) = SPECEX_CARD_INTEGER
card_type(::Real) = SPECEX_CARD_REAL
card_type(::AbstractString) = SPECEX_CARD_TEXT

card_text(value) = string(value)
card_text(value::Bool) = value ? "T" : "F"

# Calls body with the C struct that says what else to write; cards are pairs
# `"KEY" => value` or `"KEY" => (value, comment)`.
function with_output(body; input = nothing, fibermap = nothing, cards = (),
                     float64 = false, scores = false)
    kept = []  # what the structs point to
    function c_text(text)
        push!(kept, Base.cconvert(Cstring, text))
        return Base.unsafe_convert(Cstring, kept[end])
    end
    handle(::Nothing) = C_NULL
    handle(file::FitsFile) = file.handle
    GC.@preserve kept input fibermap begin
        c_cards = map(collect(cards)) do (name, content)
            value, comment = content isa Tuple ? content : (content, "")
            filled(specex_fits_card; name = c_text(String(name)), type = card_type(value),
                   value = c_text(card_text(value)), comment = c_text(String(comment)))
        end
        GC.@preserve c_cards body(Ref(filled(
            specex_fits_output; input = handle(input), fibermap = handle(fibermap),
            cards = isempty(c_cards) ? C_NULL : pointer(c_cards), ncard = length(c_cards),
            float64 = float64, scores = scores)))
    end
    return nothing
end

"""
    write_frame(context, path, frame; input = nothing, fibermap = nothing, cards = (),
                float64 = false, scores = false)

Writes a frame; header keys and FIBERMAP of the image file `input` are passed on.
`fibermap` is a file whose FIBERMAP is taken instead, `cards` are header keys to add:
`["OBSTYPE" => "SCIENCE", "GAIN" => (1.5, "of the amplifier")]`.
"""
function write_frame(context::Context, path, frame::Frame; options...)
    with_output(; options...) do output
        GC.@preserve frame call(specex_fits_write_frame, context, path,
                                Ref(c_struct(frame)), output)
    end
end

"""
    write_image(context, path, image; mask = nothing, input, fibermap, cards, float64)

Writes a preproc file; see [`write_frame`](@ref). `mask` is `[nx, ny]`.
"""
function write_image(context::Context, path, image::Image; mask = nothing, options...)
    need_size("mask", mask, size(image.pixels))
    plane = mask === nothing ? C_NULL : dense(mask, Int32)
    with_output(; options...) do output
        GC.@preserve image call(specex_fits_write_image, context, path,
                                Ref(c_struct(image)), plane, output)
    end
end

"""
    write_psf(context, path, psf; input, fibermap, cards, float64)

Writes a PSF file; see [`write_frame`](@ref).
"""
function write_psf(context::Context, path, psf::Psf; options...)
    with_output(; options...) do output
        with_c(view -> call(specex_fits_write_psf, context, path, view, output), psf)
    end
end
