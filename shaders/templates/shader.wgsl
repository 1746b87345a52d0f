// Puts a LUT strip on a picture: WebGPU. Entry points: `fragment_main`, drawn over the whole target with
// `vertex_main` and three vertices, and `compute_main`, one work group for each 8x128 pixels. Picture and target are of
// the same size. The textures are bound as unfilterable float. Setup: docs/hosts/wgsl.md
//@note

//@settings

@group(0) @binding(0) var picture: texture_2d<f32>;
@group(0) @binding(1) var lut_image: texture_2d<f32>;
@group(0) @binding(2) var graded: texture_storage_2d<rgba32float, write>;

//@core

fn vglb_at(at: vec2<i32>) -> vec4<f32>
{
    let across = (f32(at.x) + 0.5) / f32(textureDimensions(picture).x);
    return vglb_main(lut_image, textureLoad(picture, at, 0), across);
}

@vertex
fn vertex_main(@builtin(vertex_index) index: u32) -> @builtin(position) vec4<f32>
{
    return vec4<f32>(select(-1.0, 3.0, index == 1u), select(-1.0, 3.0, index == 2u), 0.0, 1.0);
}

@fragment
fn fragment_main(@builtin(position) position: vec4<f32>) -> @location(0) vec4<f32>
{
    return vglb_at(vec2<i32>(position.xy));
}

@compute @workgroup_size(8, 32)
fn compute_main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) thread: vec3<u32>)
{
    let size = vec2<i32>(textureDimensions(picture));
    let at = vec2<i32>(i32(group.x * 8u + thread.x), i32(group.y * 128u + thread.y));
    let across = (f32(at.x) + 0.5) / f32(size.x);
    // All pixels are asked for before the first is graded: that is what makes several a thread pay.
    var colors: array<vec4<f32>, 4>;
    for (var i = 0; i < 4; i++) {
        colors[i] = textureLoad(picture, min(at + vec2<i32>(0, i * 32), size - vec2<i32>(1)), 0);
    }
    for (var i = 0; i < 4; i++) {
        colors[i] = vglb_main(lut_image, colors[i], across);
    }
    for (var i = 0; i < 4; i++) {
        let here = at + vec2<i32>(0, i * 32);
        if (here.x < size.x && here.y < size.y) {
            textureStore(graded, here, colors[i]);
        }
    }
}
