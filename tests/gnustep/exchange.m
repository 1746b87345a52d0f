/* Reads and writes what Syphon programs exchange with another implementation of Apple's Foundation: GNUstep's.

   exchange read FILE             prints the class and value of the object in a keyed archive
   exchange write FILE CLASS VALUE  archives an NSString or NSNumber
   exchange observe NAME FILE     says "ready", waits for a distributed notification of any object, prints the object,
                                  and writes what is said of it as a property list
   exchange post NAME OBJECT FILE posts one, with a property list */

#import <Foundation/Foundation.h>

@interface Observer : NSObject
{
    NSString *file;
    BOOL heard;
}
- (id)initWithFile:(NSString *)path;
- (void)take:(NSNotification *)notification;
- (BOOL)hasHeard;
@end

@implementation Observer
- (id)initWithFile:(NSString *)path
{
    self = [super init];
    file = [path copy];
    return self;
}

- (void)take:(NSNotification *)notification
{
    NSData *data = [NSPropertyListSerialization dataFromPropertyList:[notification userInfo]
                                                              format:NSPropertyListBinaryFormat_v1_0
                                                    errorDescription:NULL];
    if (![data writeToFile:file atomically:YES])
        exit(3);
    printf("%s\n", [[notification object] UTF8String]);
    fflush(stdout);
    heard = YES;
}

- (BOOL)hasHeard
{
    return heard;
}
@end

static int readArchive(NSString *file)
{
    id object = [NSKeyedUnarchiver unarchiveObjectWithFile:file];
    const char *kind = [object isKindOfClass:[NSString class]]   ? "NSString"
                       : [object isKindOfClass:[NSNumber class]] ? "NSNumber"
                                                                 : "neither";
    printf("%s %s\n", kind, [[object description] UTF8String]);
    if ([object isKindOfClass:[NSNumber class]])
        printf("%u\n", [object unsignedIntValue]);
    return 0;
}

static int writeArchive(NSString *file, NSString *kind, NSString *value)
{
    id object = [kind isEqualToString:@"NSNumber"]
                    ? (id)[NSNumber numberWithUnsignedInt:(unsigned)[value longLongValue]]
                    : (id)value;
    return [NSKeyedArchiver archiveRootObject:object toFile:file] ? 0 : 3;
}

static int observe(NSString *name, NSString *file)
{
    Observer *observer = [[Observer alloc] initWithFile:file];
    [[NSDistributedNotificationCenter defaultCenter] addObserver:observer
                                                        selector:@selector(take:)
                                                            name:name
                                                          object:nil
                                              suspensionBehavior:NSNotificationSuspensionBehaviorDeliverImmediately];
    printf("ready\n");
    fflush(stdout);
    while (![observer hasHeard])
        [[NSRunLoop currentRunLoop] runMode:NSDefaultRunLoopMode beforeDate:[NSDate dateWithTimeIntervalSinceNow:1]];
    return 0;
}

static int post(NSString *name, NSString *object, NSString *file)
{
    id description = [NSPropertyListSerialization propertyListFromData:[NSData dataWithContentsOfFile:file]
                                                      mutabilityOption:NSPropertyListImmutable
                                                                format:NULL
                                                      errorDescription:NULL];
    if (![description isKindOfClass:[NSDictionary class]])
        return 3;
    [[NSDistributedNotificationCenter defaultCenter] postNotificationName:name
                                                                   object:object
                                                                 userInfo:description
                                                       deliverImmediately:YES];
    return 0;
}

int main(int count, char **words)
{
    NSAutoreleasePool *pool = [NSAutoreleasePool new];
    NSMutableArray *w = [NSMutableArray array];
    for (int i = 1; i < count; i++)
        [w addObject:[NSString stringWithUTF8String:words[i]]];
    NSString *verb = count > 1 ? [w objectAtIndex:0] : @"";
    int code = 2;
    if ([verb isEqualToString:@"read"] && count == 3)
        code = readArchive([w objectAtIndex:1]);
    else if ([verb isEqualToString:@"write"] && count == 5)
        code = writeArchive([w objectAtIndex:1], [w objectAtIndex:2], [w objectAtIndex:3]);
    else if ([verb isEqualToString:@"observe"] && count == 4)
        code = observe([w objectAtIndex:1], [w objectAtIndex:2]);
    else if ([verb isEqualToString:@"post"] && count == 5)
        code = post([w objectAtIndex:1], [w objectAtIndex:2], [w objectAtIndex:3]);
    [pool drain];
    return code;
}
