# SPDX-License-Identifier: BSD-3-Clause

"""
A call of the library failed: `status` is its number (`SPECEX_ERROR_...`), `name` and
`text` say what that means, `message` is one sentence on what was wrong, and where.
"""
struct SpecexError <: Exception
    status::Int32
    message::String
end

status_name(status) = unsafe_string(specex_status_name(status))
status_text(status) = unsafe_string(specex_status_text(status))

function Base.getproperty(error::SpecexError, field::Symbol)
    field == :name && return status_name(error.status)
    field == :text && return status_text(error.status)
    return getfield(error, field)
end
Base.propertynames(::SpecexError) = (:status, :name, :text, :message)

Base.showerror(io::IO, error::SpecexError) = print(io, error.name, ": ", error.message)

# That a patch failed (SPECEX_PARTIAL) is told by the results, not by an exception.
function check(status::Int32, context = C_NULL)
    status in (SPECEX_OK, SPECEX_PARTIAL) && return status
    throw(SpecexError(status, unsafe_string(specex_last_error(context))))
end

"The library's version, which may be newer than the package's."
version() = VersionNumber(unsafe_string(specex_version()))
