// Puts a LUT strip on a picture in two passes, faster than vglb.wgsl: WebGPU. Entry points: `entries_main`, once for
// each LUT, one work group for each 8x8 texels of the LUT's texture and at least one; then `picture_main`, one work
// group for each 8x128 pixels. Picture and target are of the same size. The textures are bound as unfilterable float.
// Setup: docs/hosts/wgsl.md
//@note

//@settings

@group(0) @binding(0) var picture: texture_2d<f32>;
@group(0) @binding(1) var lut_image: texture_2d<f32>;
@group(0) @binding(2) var graded: texture_storage_2d<rgba32float, write>;
// The same buffer, as `picture_main` reads it and as `entries_main` writes it: 1 + N*N*N vec4; with less, the picture
// stays as it is.
@group(0) @binding(3) var<storage, read> lut_entries: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> written_entries: array<vec4<f32>>;

//@core

//@buffer_fill

//@buffer_lookup

@compute @workgroup_size(8, 8)
fn entries_main(@builtin(global_invocation_id) thread: vec3<u32>)
{
    let size = vec2<i32>(textureDimensions(lut_image));
    let found = vglb_grid_size(size);
    let n = select(0, found, i32(arrayLength(&written_entries)) > found * found * found);
    let at = vec2<i32>(thread.xy);
    let index = at.y * size.x + at.x + 1;
    if (at.x == 0 && at.y == 0) {
        written_entries[0] = vec4<f32>(f32(n), 0.0, 0.0, 0.0);
    }
    if (at.x < size.x && index <= n * n * n) {
        written_entries[index] = vglb_buffer_entry(lut_image, size, n, index);
    }
}

@compute @workgroup_size(8, 32)
fn picture_main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) thread: vec3<u32>)
{
    let n = vglb_buffer_grid_size();
    let size = vec2<i32>(textureDimensions(picture));
    let at = vec2<i32>(i32(group.x * 8u + thread.x), i32(group.y * 128u + thread.y));
    let across = (f32(at.x) + 0.5) / f32(size.x);
    // All pixels are asked for before the first is graded: that is what makes several a thread pay.
    var colors: array<vec4<f32>, 4>;
    for (var i = 0; i < 4; i++) {
        colors[i] = textureLoad(picture, min(at + vec2<i32>(0, i * 32), size - vec2<i32>(1)), 0);
    }
    for (var i = 0; i < 4; i++) {
        colors[i] = vglb_buffer_main(n, colors[i], across);
    }
    for (var i = 0; i < 4; i++) {
        let here = at + vec2<i32>(0, i * 32);
        if (here.x < size.x && here.y < size.y) {
            textureStore(graded, here, colors[i]);
        }
    }
}
