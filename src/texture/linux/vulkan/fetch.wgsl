// Reads an image the way a renderer's shader does, texel by texel, and puts the bits into a buffer.

@group(0) @binding(0) var strip: texture_2d<f32>;
@group(0) @binding(1) var<storage, read_write> texels: array<vec4<u32>>;

@compute @workgroup_size(64)
fn fetch(@builtin(global_invocation_id) id: vec3<u32>) {
    let size = textureDimensions(strip);
    if id.x < size.x {
        // As integers: what is only moved can't be rounded, flushed or made quiet.
        texels[id.y * size.x + id.x] = bitcast<vec4<u32>>(textureLoad(strip, id.xy, 0));
    }
}
