// Runs a file of shaders/metal over a picture: run KIND PICTURE LUT RESULT, where KIND is `fragment` or `kernel` (of
// vglb.metal) or `buffer` (of vglb_buffer.metal, with BUFFER defined), and the files hold width and height as uint32 and the texels as four float32 each.
#include METAL_FILE

#include <cstdio>
#include <string>
#include <vector>

struct File {
    uint size[2];
    std::vector<float4> texels;
};

static File load(const char *path)
{
    File file{};
    std::FILE *from = std::fopen(path, "rb");
    if (!from || std::fread(file.size, sizeof(uint), 2, from) != 2) {
        std::perror(path);
        std::exit(1);
    }
    file.texels.resize(std::size_t(file.size[0]) * file.size[1]);
    if (std::fread(file.texels.data(), sizeof(float4), file.texels.size(), from) != file.texels.size()) {
        std::perror(path);
        std::exit(1);
    }
    std::fclose(from);
    return file;
}

int main(int, char **arguments)
{
    std::string kind = arguments[1];
    File picture = load(arguments[2]);
    File lut = load(arguments[3]);
    std::vector<float4> result(picture.texels.size());
    metal::texture2d<float> from{picture.texels.data(), picture.size[0], picture.size[1]};
    metal::texture2d<float> strip{lut.texels.data(), lut.size[0], lut.size[1]};
    metal::texture2d<float, metal::access::write> to{result.data(), picture.size[0], picture.size[1]};
#ifdef BUFFER
    std::vector<float4> entries(65 * 65 * 65 + 1);
    for (uint y = 0; y < lut.size[1]; ++y) {
        for (uint x = 0; x < lut.size[0]; ++x) {
            vglb_entries_kernel(strip, entries.data(), int(entries.size()), uint2(x, y));
        }
    }
    for (uint y = 0; y < (picture.size[1] + 3) / 4; ++y) {
        for (uint x = 0; x < picture.size[0]; ++x) {
            vglb_picture_kernel(from, to, entries.data(), uint2(x, y));
        }
    }
#else
    for (uint y = 0; y < picture.size[1]; ++y) {
        for (uint x = 0; x < picture.size[0]; ++x) {
            if (kind == "kernel") {
                vglb_kernel(from, strip, to, uint2(x, y));
            } else {
                VglbCorner in;
                in.position = float4(float(x) + 0.5f, float(y) + 0.5f, 0.0f, 1.0f);
                result[std::size_t(y) * picture.size[0] + x] = vglb_fragment(in, from, strip);
            }
        }
    }
#endif
    std::FILE *out = std::fopen(arguments[4], "wb");
    if (!out || std::fwrite(result.data(), sizeof(float4), result.size(), out) != result.size() || std::fclose(out)) {
        std::perror(arguments[4]);
        return 1;
    }
}
