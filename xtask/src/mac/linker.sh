#!/bin/sh
# Links what rustc gives to Apple's clang with Zig's instead. Needs PYTHON, one that has Zig, and STUBS, the folder that
# stands for Apple's SDK.
arch='' minimum='' next=''
for word; do
    shift
    if [ -n "$next" ]; then
        arch=$word next=''
        continue
    fi
    case $word in
        -arch) next=arch ;;
        -mmacosx-version-min=*) minimum=${word#*=} ;;
        *) set -- "$@" "$word" ;;
    esac
done
[ "$arch" = arm64 ] && arch=aarch64
exec "$PYTHON" -m ziglang cc -target "$arch-macos.$minimum" -F "$STUBS/System/Library/Frameworks" -L "$STUBS/usr/lib" "$@"
