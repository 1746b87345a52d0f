// Compiles HLSL with DXC's library: compile LIBRARY SOURCE ENTRY PROFILE OUT [ARGUMENT…]. The compiler's messages go to
// stderr; the exit code is 0 where it succeeds. Built against the headers that come with the library.
#include "dxcapi.h"

#include <cstdio>
#include <dlfcn.h>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

int main(int count, char **arguments)
{
    if (count < 6) {
        std::fputs("compile LIBRARY SOURCE ENTRY PROFILE OUT [ARGUMENT...]\n", stderr);
        return 2;
    }
    void *library = dlopen(arguments[1], RTLD_NOW);
    auto create = library ? reinterpret_cast<DxcCreateInstanceProc>(dlsym(library, "DxcCreateInstance")) : nullptr;
    IDxcCompiler3 *compiler = nullptr;
    if (!create || create(CLSID_DxcCompiler, __uuidof(IDxcCompiler3), reinterpret_cast<void **>(&compiler)) < 0) {
        std::fprintf(stderr, "%s is no DXC: %s\n", arguments[1], library ? "it makes no compiler" : dlerror());
        return 2;
    }
    std::ifstream file(arguments[2], std::ios::binary);
    std::string source((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    std::vector<std::wstring> words{L"-E", std::wstring(arguments[3], arguments[3] + strlen(arguments[3])), L"-T",
                                    std::wstring(arguments[4], arguments[4] + strlen(arguments[4]))};
    for (int i = 6; i < count; ++i) {
        words.emplace_back(arguments[i], arguments[i] + strlen(arguments[i]));
    }
    std::vector<LPCWSTR> list;
    for (const std::wstring &word : words) {
        list.push_back(word.c_str());
    }
    DxcBuffer text{source.data(), source.size(), DXC_CP_UTF8};
    IDxcResult *result = nullptr;
    HRESULT status = compiler->Compile(&text, list.data(), UINT32(list.size()), nullptr, __uuidof(IDxcResult),
                                       reinterpret_cast<void **>(&result));
    IDxcBlobUtf8 *errors = nullptr;
    if (status >= 0) {
        result->GetOutput(DXC_OUT_ERRORS, __uuidof(IDxcBlobUtf8), reinterpret_cast<void **>(&errors), nullptr);
        result->GetStatus(&status);
    }
    if (errors && errors->GetStringLength() > 0) {
        std::fputs(errors->GetStringPointer(), stderr);
    }
    IDxcBlob *object = nullptr;
    if (status < 0
        || result->GetOutput(DXC_OUT_OBJECT, __uuidof(IDxcBlob), reinterpret_cast<void **>(&object), nullptr) < 0) {
        return 1;
    }
    std::ofstream out(arguments[5], std::ios::binary);
    out.write(static_cast<const char *>(object->GetBufferPointer()), std::streamsize(object->GetBufferSize()));
    return out.good() ? 0 : 1;
}
