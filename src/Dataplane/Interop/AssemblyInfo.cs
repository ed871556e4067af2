using System.Runtime.CompilerServices;

// Every signature in Interop is blittable: the call is a plain jump, no marshalling stub.
[assembly: DisableRuntimeMarshalling]
