// Puts a LUT strip on a picture: Unity, universal render pipeline 14 and later, for the Full Screen Pass Renderer
// Feature. Setup: docs/hosts/unity.md
//@note
Shader "Vglb/Universal"
{
    Properties
    {
        _LutTex ("LUT stream", 2D) = "black" {}
        _LutMix ("Amount", Range(0, 1)) = 1
        [Toggle] _LutCheck ("Check bands", Float) = 0
        [Enum(Nothing, 0, PlainFloat, 1, BytePlanes, 2, Both, 3)] _LutFlip ("Upside down", Float) = 1
    }
    SubShader
    {
        Tags { "RenderPipeline" = "UniversalPipeline" }
        Cull Off ZWrite Off ZTest Always
        Pass
        {
            HLSLPROGRAM
            #pragma vertex Vert
            #pragma fragment frag
            #pragma target 4.5
            #include "Packages/com.unity.render-pipelines.universal/ShaderLibrary/Core.hlsl"
            #include "Packages/com.unity.render-pipelines.core/Runtime/Utilities/Blit.hlsl"

            Texture2D<float4> _LutTex;
            float _LutMix;
            float _LutCheck;
            float _LutFlip;
            #define VGLB_MIX _LutMix
            #define VGLB_CHECK int(_LutCheck + 0.5)
            #define VGLB_FLIP int(_LutFlip + 0.5)
            #include "VglbLut.hlsl"

            float4 frag(Varyings input) : SV_Target
            {
                UNITY_SETUP_STEREO_EYE_INDEX_POST_VERTEX(input);
                float4 picture = SAMPLE_TEXTURE2D_X_LOD(_BlitTexture, sampler_PointClamp, input.texcoord, 0);
                return vglb_main(_LutTex, picture, input.texcoord.x);
            }
            ENDHLSL
        }
    }
}
