namespace FlannelFast.Control.Subnets.Etcd.Grpc;

/// <summary>A method of a service with the messages it takes and gives.</summary>
/// <param name="Path">"/package.Service/Method".</param>
/// <typeparam name="TRequest">What it takes.</typeparam>
/// <typeparam name="TResponse">What it gives.</typeparam>
internal sealed record GrpcMethod<TRequest, TResponse>(string Path)
    where TRequest : IProtobufMessage
    where TResponse : class, IProtobufParsable<TResponse>;
