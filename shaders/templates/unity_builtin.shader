// Puts a LUT strip on a picture: Unity, built-in render pipeline, for Graphics.Blit in OnRenderImage.
// Setup: docs/hosts/unity.md
//@note
Shader "Vglb/Built-in"
{
    Properties
    {
        _MainTex ("Picture", 2D) = "white" {}
        _LutTex ("LUT stream", 2D) = "black" {}
        _LutMix ("Amount", Range(0, 1)) = 1
        [Toggle] _LutCheck ("Check bands", Float) = 0
        [Enum(Nothing, 0, PlainFloat, 1, BytePlanes, 2, Both, 3)] _LutFlip ("Upside down", Float) = 1
    }
    SubShader
    {
        Cull Off ZWrite Off ZTest Always
        Pass
        {
            HLSLPROGRAM
            #pragma vertex vert
            #pragma fragment frag
            #pragma target 4.5
            #include "UnityCG.cginc"

            Texture2D<float4> _MainTex;
            Texture2D<float4> _LutTex;
            float4 _MainTex_TexelSize;
            float _LutMix;
            float _LutCheck;
            float _LutFlip;
            #define VGLB_MIX _LutMix
            #define VGLB_CHECK int(_LutCheck + 0.5)
            #define VGLB_FLIP int(_LutFlip + 0.5)
            #include "VglbLut.hlsl"

            struct Corner
            {
                float4 position : SV_POSITION;
                float2 uv : TEXCOORD0;
            };

            Corner vert(appdata_img input)
            {
                Corner corner;
                corner.position = UnityObjectToClipPos(input.vertex);
                corner.uv = input.texcoord;
                return corner;
            }

            float4 frag(Corner input) : SV_Target
            {
                int2 at = int2(input.uv * _MainTex_TexelSize.zw);
                return vglb_main(_LutTex, _MainTex.Load(int3(at, 0)), input.uv.x);
            }
            ENDHLSL
        }
    }
}
