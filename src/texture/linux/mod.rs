//! Linux: the shared-texture transport.
