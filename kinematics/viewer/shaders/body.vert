#version 330 core
// A rigid part goes where its joint is. The fourth number of a vertex colour is the joint's place in the lists.
layout(location = 0) in vec3 position;
layout(location = 1) in vec3 normal;
layout(location = 2) in vec4 colour_and_joint;

uniform vec4 rotations[100];  // unit quaternions wxyz
uniform vec3 positions[100];
uniform vec3 shift;
uniform mat4 project;

out vec3 place;
out vec3 outward;
out vec3 colour;

vec3 turned(vec4 q, vec3 v)
{
    return v + 2.0 * cross(q.yzw, cross(q.yzw, v) + q.x * v);
}

void main()
{
    int joint = int(colour_and_joint.w + 0.5);
    place = turned(rotations[joint], position) + positions[joint] + shift;
    outward = turned(rotations[joint], normal);
    colour = colour_and_joint.rgb;
    gl_ClipDistance[0] = place.y;  // the floor hides what is below it
    gl_Position = project * vec4(place, 1.0);
}
