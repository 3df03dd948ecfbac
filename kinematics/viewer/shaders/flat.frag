#version 330 core
// A line on the floor with smooth edges.
in float across;  // its edges are at -1 and 1

uniform vec4 ink;  // sRGB and opacity

out vec4 pixel;

void main()
{
    float cover = clamp((1.0 - abs(across)) / max(fwidth(across), 1e-5) + 0.5, 0.0, 1.0);
    pixel = vec4(ink.rgb, ink.a * cover);
}
